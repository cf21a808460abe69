
# Copyright (C) the mntreamer authors

# The demonstration: a database, a simulated platform and nginx, started and
# ended together.  One process supervises them, in the foreground or, with
# --detach, in the background; what a killed one left behind is ended by the
# next "run" or "stop".


ready_s=60


# places: where things are; all that "run" writes is below $state

places() {
    local user owner

    state=$dir
    web_user=$(id -un)
    web_group=$(id -gn)

    if [ "$(id -u)" -eq 0 ]; then
        web_user=www-data
        web_group=www-data

        # the servers give up root: can they get there?

        for user in "$web_user" postgres; do
            getent passwd "$user" >/dev/null || continue

            owner=$(ancestor "$dir")

            if ! as_user "$user" test -x "$owner"; then
                state=/var/lib/mntreamer/run-$(printf %s "$dir" | cksum \
                                               | cut -d' ' -f1)
                break
            fi
        done
    fi

    # without a path that is too long for a socket (107 bytes)

    socket=$state/pgsock

    if [ ${#socket} -gt 90 ]; then
        socket=/tmp/mntreamer-$(printf %s "$state" | cksum | cut -d' ' -f1)
    fi
}


# the nearest directory that exists

ancestor() {
    local path=$1

    while [ ! -d "$path" ]; do
        path=$(dirname "$path")
    done

    printf '%s\n' "$path"
}


run() {
    case $dir in
        *[!A-Za-z0-9_./+@%,:=~-]*)
            fail "--dir may not hold spaces or signs nginx reads: $dir" ;;
    esac

    # the background process of --detach begins where its parent got to

    built=${MNTREAMER_BUILT-no}
    unset MNTREAMER_BUILT

    [ "$built" = yes ] || install_packages run
    places
    runs_already
    writable "$dir"

    if [ "$built" != yes ]; then
        build no

        # what holds the ports may be ours, left behind
        [ -d "$state/run" ] || ports_free
    fi

    mkdir -p "$dir" "$state/run" "$state/log" 2>/dev/null \
        || fail "$state cannot be written"

    # two that start at once; what a killed one had just called ends by itself

    exec 8>"$state/run/lock"
    flock -w 6 8 || fail "another \"run\" is starting or running in $dir"

    if [ "$detach" = yes ]; then
        run_detached
    else
        run_here
    fi
}


# a directory of ours, or the place where it is to be made

writable() {
    local near probe

    near=$(ancestor "$1")
    probe=$near/.writable-$$

    touch "$probe" 2>/dev/null || fail "$1 cannot be written"
    rm -f "$probe"
}


# Does it run?  Ends us when it does, or cannot be mended; comes back when
# nothing runs, also after waiting for one that is ending.

runs_already() {
    local i address

    process_find supervisor || return 0

    # it is starting, ending, or about to notice what happened

    for ((i = 0; i < (ready_s + 15) * 5; i++)); do
        if healthy; then
            address=$(cat "$state/run/address")

            [ "$address" = "http://127.0.0.1:$http_port/" ] \
                || fail "it runs already, at $address and not at port" \
                        "$http_port; $(stop_command) ends it"

            say "it runs already: $address ($(stop_command) ends it)"
            exit 0
        fi

        process_find supervisor || return 0

        [ "$i" -ne 5 ] || say "what runs in $dir does not answer: waiting" \
                              "for it"
        sleep 0.2
    done

    fail "what runs in $dir does not become healthy; $(stop_command) ends it"
}


# all its parts live, and it answers

healthy() {
    local part port

    [ -e "$state/run/ready" ] || return 1

    for part in supervisor database platform nginx; do
        process_find "$part" || return 1
    done

    port=$(sed 's|^.*:\([0-9]*\)/$|\1|' "$state/run/address" 2>/dev/null)

    [ -n "$port" ] && answers "$port"
}


say_place() {
    [ "$state" = "$dir" ] || say "$dir cannot be entered by the servers'" \
        "users: all is kept in $state"
}


run_detached() {
    local pid

    say_place
    exec 8>&-
    rm -f "$state/run/ready"

    MNTREAMER_BUILT=yes setsid "$top/mntreamer" run --dir "$dir" \
        --http-port "$http_port" --rtmp-port "$rtmp_port" \
        >"$state/log/run.log" 2>&1 </dev/null &
    pid=$!
    trap 'kill "$pid" 2>/dev/null' INT TERM HUP

    until [ -e "$state/run/ready" ]; do
        if ! kill -0 "$pid" 2>/dev/null; then
            cat "$state/log/run.log" >&2
            exit 1
        fi

        sleep 0.2
    done

    say "the page is at $(cat "$state/run/address")"
    say "it runs in the background; $(stop_command) ends it," \
        "$state/log/run.log tells what it does"
}


# what ends this very system

stop_command() {
    if [ "$dir" = "$top/var" ]; then
        printf './mntreamer stop'
    else
        printf './mntreamer stop --dir %s' "$dir"
    fi
}


run_here() {
    stopping=no
    trap 'stopping=yes' INT TERM HUP
    trap 'run_stop' EXIT

    rm -f "$state/run/ready"
    process_save supervisor $$
    leftovers
    ports_free
    say_place

    run_directories
    database_start "$state/pg/data" "$socket" "$web_user" no
    database_known
    going_on
    platform_start
    going_on
    nginx_start
    wait_ready
    publisher_start

    printf 'http://127.0.0.1:%s/\n' "$http_port" >"$state/run/address"
    touch "$state/run/ready"
    say "the page is at http://127.0.0.1:$http_port/ (Ctrl-C ends it)"
    say "own broadcasts: rtmp://127.0.0.1:$rtmp_port/ingest, with a key that" \
        "the page makes"

    follow
}


database_known() {
    process_save database "$(head -1 "$state/pg/data/postmaster.pid")"
}


# it ended, we did not ask for that: its last processes may take a moment

database_again() {
    local i

    say "the database ended; it is started again"

    for i in {1..10}; do
        going_on

        if (database_start "$state/pg/data" "$socket" "$web_user" no) \
           2>/dev/null
        then
            database_known
            return
        fi

        sleep 1
    done

    fail "the database ended and does not start again," \
         "see $state/pg/data.log"
}


going_on() {
    [ "$stopping" = no ] || exit 0
}


run_directories() {
    mkdir -p "$state/storage" "$state/demo" "$state/tmp" "$state/pg" \
             "$socket" || exit 1
    chmod 755 "$state" "$state/run" "$state/log"
    www=$top/www

    [ "$(id -u)" -eq 0 ] || return

    chown postgres: "$state/pg" "$socket"
    chown "$web_user:$web_group" "$state/storage" "$state/demo" "$state/tmp"

    if ! as_user "$web_user" test -r "$www/index.html"; then
        www=$state/www
        rm -rf "$www"
        cp -R "$top/www" "$www"
        chmod -R a+rX "$www"
    fi
}


# as_user NAME COMMAND...; only root can

as_user() {
    (cd / && exec setpriv --reuid="$1" --regid="$(id -g "$1")" \
                          --init-groups "${@:2}") 2>/dev/null
}


# the platform watches us, its parent, and ends when we are gone

platform_start() {
    local i as=()

    if [ "$(id -u)" -eq 0 ]; then
        as=(setpriv --reuid="$web_user" --regid="$web_group" --init-groups)
    fi

    rm -f "$state/demo/port"
    install -m 644 "$top/conf/demo/platform.py" "$state/demo/platform.py"

    # closed: descriptors that hold our locks

    (cd / && exec 7>&- 8>&- && exec setsid \
        "${as[@]+"${as[@]}"}" /usr/bin/python3 "$state/demo/platform.py" \
        --dir "$state/demo") >"$state/log/platform.log" 2>&1 </dev/null &
    process_save platform $!
    disown

    for i in {1..100}; do
        [ -e "$state/demo/port" ] && return
        process_find platform || break
        sleep 0.1
    done

    tail -1 "$state/log/platform.log" >&2
    fail "the simulated platform does not start, see $state/log/platform.log"
}


# the simulated streamer of an own channel; nothing depends on it

publisher_start() {
    local as=()

    if [ "$(id -u)" -eq 0 ]; then
        as=(setpriv --reuid="$web_user" --regid="$web_group" --init-groups)
    fi

    install -m 644 "$top/conf/demo/publisher.py" "$state/demo/publisher.py"

    (cd / && exec 7>&- 8>&- && exec setsid \
        "${as[@]+"${as[@]}"}" /usr/bin/python3 "$state/demo/publisher.py" \
        --http "$http_port" --rtmp "$rtmp_port") \
        >"$state/log/publisher.log" 2>&1 </dev/null &
    process_save publisher $!
    disown
}


nginx_start() {
    local user="" workers why

    workers=$(nproc)
    [ "$workers" -ge 2 ] || workers=2
    [ "$workers" -le 4 ] || workers=4

    [ "$(id -u)" -ne 0 ] || user="user $web_user $web_group;"

    nginx=$(PATH=$PATH:/usr/sbin command -v nginx)

    sed -e "s|@MODULE@|$build/ngx_mntreamer_module.so|" \
        -e "s|@USER@|$user|" \
        -e "s|@WORKERS@|$workers|" \
        -e "s|@STATE@|$state|g" \
        -e "s|@SOCKET@|$socket|" \
        -e "s|@PLATFORM_PORT@|$(cat "$state/demo/port")|" \
        -e "s|@HTTP_PORT@|$http_port|" \
        -e "s|@RTMP_PORT@|$rtmp_port|" \
        -e "s|@RTMP_MODULE@|/usr/lib/nginx/modules/ngx_rtmp_module.so|" \
        -e "s|@WWW@|$www|" \
        "$top/conf/demo/nginx.conf.in" >"$state/nginx.conf"

    if ! why=$("$nginx" -t -p "$state" -c "$state/nginx.conf" \
               -e "$state/log/check.log" 2>&1)
    then
        fail "$(grep -m1 '\[emerg\]' <<<"$why" | sed 's/^.*\[emerg\] //')"
    fi

    : >>"$state/log/error.log"
    exec 7<"$state/log/error.log"
    while read -r <&7; do :; done

    # of a session of its own: Ctrl-C is for us, we end it in order

    (cd / && exec 7>&- 8>&- && exec setsid "$nginx" -p "$state" \
        -c "$state/nginx.conf" -e "$state/log/error.log" -g 'daemon off;') \
        >"$state/log/nginx.out" 2>&1 </dev/null &
    process_save nginx $!
    disown
}


wait_ready() {
    local i

    for ((i = 0; i < ready_s * 5; i++)); do
        going_on

        if ! process_find nginx; then
            fail "nginx ended: $(last_error)"
        fi

        answers "$http_port" && return

        sleep 0.2
    done

    fail "it does not become healthy: $(last_error)"
}


last_error() {
    local line

    line=$(grep -E '\[(emerg|alert|crit|error|warn)\]' \
           "$state/log/error.log" | tail -1)

    printf '%s\n' "${line:-see $state/log/error.log}"
}


# answers PORT: one worker says it is healthy, and each has the database

answers() {
    http_get "$1" /health | grep -q '^HTTP/1.[01] 200 ' || return 1

    http_get "$1" /metrics | awk '
        $1 ~ /^mntreamer_workers(\{|$)/ { workers = $2 }
        $1 ~ /^mntreamer_db_up(\{|$)/ { up = $2 }
        END { exit !(workers > 0 && up == workers) }'
}


# http_get PORT PATH; the whole answer, or nothing

http_get() {
    {
        exec 6<>"/dev/tcp/127.0.0.1/$1" || return 0
        printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' "$2" >&6
        timeout 5 cat <&6
        exec 6>&-
    } 2>/dev/null
}


ports_free() {
    port_free "$http_port" --http-port
    port_free "$rtmp_port" --rtmp-port
}


# port_free PORT OPTION

port_free() {
    if (exec 6<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then
        fail "port $1 is taken; choose another with $2"
    fi
}


# prints what happens, until somebody ends us or a part ends itself

follow() {
    local part held=

    while [ "$stopping" = no ]; do
        while IFS= read -r part <&7; do
            event "$held$part"
            held=
        done

        held=$held$part

        process_find nginx || fail "nginx ended: $(last_error)"
        process_find platform || fail "the simulated platform ended," \
                                      "see $state/log/platform.log"
        process_find database || database_again
        sleep 0.3
    done
}


# 2026/09/27 08:52:05 [notice] 7#7: *9 mntreamer: went live ..., client: ...

event_line='^[0-9/]+ ([0-9:]+) \[([a-z]+)\] [0-9#]+: (\*[0-9]+ )?mntreamer: (.*)$'

event() {
    local level

    [[ $1 =~ $event_line ]] || return 0

    level=${BASH_REMATCH[2]}

    case $level in
        info | notice) level= ;;
        *)             level=" $level:" ;;
    esac

    printf '%s%s %s\n' "${BASH_REMATCH[1]}" "$level" "${BASH_REMATCH[4]}"
}


# in order: nobody asks any more, nothing is broadcast, nothing is stored

run_stop() {
    local rc=$?

    trap - EXIT
    trap '' INT TERM HUP

    if [ -t 1 ]; then
        echo
    fi

    [ "$stopping" = no ] || rc=0
    [ "$rc" -ne 0 ] || say "ending"

    rm -f "$state/run/ready"
    leftovers
    process_forget supervisor
    exit "$rc"
}


# who sends ends first: nginx waits for its connections

parts_stop() {
    process_end publisher TERM 5
    process_end nginx QUIT 15
    process_end platform TERM 5
    database_stop "$state/pg/data"
    process_forget database

    if [ "$socket" != "$state/pgsock" ]; then
        rm -rf "$socket"
    fi
}


stop() {
    places

    if process_find supervisor; then
        process_end supervisor TERM 60
        leftovers
        say "ended"
        return
    fi

    if [ ! -d "$state/run" ]; then
        say "nothing runs in $dir"
        return
    fi

    if leftovers; then
        say "ended what a run had left behind"
    else
        say "nothing runs in $dir"
    fi
}


# leftovers: ends what a killed run left; true when there was something.  A
# worker whose master was killed is known by our log, which it has open.

leftovers() {
    local found=1 name proc

    for name in nginx platform publisher; do
        process_find "$name" && found=0
    done

    database_runs "$state/pg/data" && found=0
    parts_stop

    for proc in /proc/[0-9]*; do
        [ "$(cat "$proc/comm" 2>/dev/null)" = nginx ] || continue

        if find "$proc/fd" -lname "$state/log/error.log" 2>/dev/null \
           | grep -q .
        then
            found=0
            kill -KILL "${proc#/proc/}" 2>/dev/null
            gone "${proc#/proc/}"
        fi
    done

    return "$found"
}


# gone PID: a killed one still holds its sockets for a moment

gone() {
    local i

    for i in {1..30}; do
        process_began "$1" >/dev/null || return 0
        sleep 0.1
    done
}


# A process is known by its number and the time it began: numbers come again.

process_began() {
    local stat

    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    set -- ${stat##*) }

    [ "$1" != Z ] && printf '%s\n' "${20}"
}


process_save() {
    printf '%s %s\n' "$2" "$(process_began "$2")" >"$state/run/$1.process"
}


process_find() {
    local began

    read -r pid began 2>/dev/null <"$state/run/$1.process" || return 1

    [ -n "$began" ] && [ "$(process_began "$pid")" = "$began" ]
}


process_forget() {
    rm -f "$state/run/$1.process"
}


# process_end NAME SIGNAL SECONDS

process_end() {
    local pid i

    if process_find "$1"; then
        kill -"$2" "$pid" 2>/dev/null \
            || fail "process $pid ($1) belongs to another user"

        for ((i = 0; i < $3 * 10; i++)); do
            process_find "$1" || break
            sleep 0.1
        done

        if process_find "$1"; then
            kill -KILL "$pid" 2>/dev/null
        fi
    fi

    process_forget "$1"
}
