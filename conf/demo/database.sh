
# Copyright (C) the mntreamer authors

# A private PostgreSQL cluster on a unix socket.  It runs as the user
# "postgres" when we are root, else as ourselves.


# database_as COMMAND...; as the cluster's user

database_as() {
    if [ "$(id -u)" -eq 0 ]; then
        (cd / && exec setpriv --reuid=postgres --regid=postgres \
                              --init-groups "$@")
    else
        (cd / && exec "$@")
    fi
}


database_programs() {
    pg_bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)

    [ -n "$pg_bin" ] && [ -x "$pg_bin/initdb" ] \
        || fail "PostgreSQL's programs are not in /usr/lib/postgresql"
}


# database_start DIRECTORY SOCKET-DIRECTORY WEB-USER TEST: a cluster in
# DIRECTORY with a role and a database "mntreamer".  WEB-USER and we may use it;
# with TEST "yes" everybody, and what is written is not made durable.

database_start() {
    local data=$1 socket=$2 log=$1.log version

    database_programs
    version=$("$pg_bin/postgres" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')

    if [ -e "$data/PG_VERSION" ] \
       && [ "$(cat "$data/PG_VERSION")" != "$version" ]
    then
        fail "the database in $data is of PostgreSQL" \
             "$(cat "$data/PG_VERSION"), here is $version;" \
             "move the directory away to begin anew"
    fi

    [ -e "$data/PG_VERSION" ] || database_make "$data" "$4"

    database_access "$data" "$3" "$4"

    if database_as "$pg_bin/pg_ctl" -D "$data" status >/dev/null 2>&1; then
        # of a run that was killed
        database_as "$pg_bin/pg_ctl" -D "$data" -w -m fast stop \
            >/dev/null 2>&1
    fi

    if ! database_as "$pg_bin/pg_ctl" -D "$data" -l "$log" -w -t 60 -s \
         -o "-c unix_socket_directories='$socket' -c listen_addresses=''" \
         start >/dev/null 2>&1 7>&- 8>&-
    then
        tail -3 "$log" >&2
        fail "PostgreSQL does not start, see $log"
    fi

    database_sql "$socket" "SELECT 1 FROM pg_roles
                            WHERE rolname = 'mntreamer'" | grep -q 1 \
        || database_sql "$socket" "CREATE ROLE mntreamer LOGIN" \
        || fail "the database refused a role, see $log"

    database_sql "$socket" "SELECT 1 FROM pg_database
                            WHERE datname = 'mntreamer'" | grep -q 1 \
        || database_sql "$socket" "CREATE DATABASE mntreamer
                                   OWNER mntreamer" \
        || fail "the database could not be made, see $log"
}


database_make() {
    local data=$1 options=()

    [ "$2" = yes ] && options=(--no-sync)

    # what was cut short is not there under its name
    database_as rm -rf "$data.new"

    database_as "$pg_bin/initdb" -D "$data.new" -U postgres -A peer \
        -E UTF8 --locale=C.UTF-8 "${options[@]+"${options[@]}"}" \
        >"$data.initdb" 2>&1 \
        || { tail -3 "$data.initdb" >&2
             fail "initdb failed, see $data.initdb"; }

    database_as sh -c "cat >>'$data.new/postgresql.conf'" <<END
max_connections = 200
shared_buffers = 32MB
timezone = 'UTC'
log_timezone = 'UTC'
$([ "$2" = yes ] && printf 'fsync = off\nfull_page_writes = off\n')
END

    database_as mv "$data.new" "$data"
}


database_access() {
    local data=$1 us

    us=$(id -un)

    if [ "$3" = yes ]; then
        echo "local all all trust" \
            | database_as sh -c "cat >'$data/pg_hba.conf'"
        return
    fi

    echo "local all all peer map=mntreamer" \
        | database_as sh -c "cat >'$data/pg_hba.conf'"

    sort -u <<END | database_as sh -c "cat >'$data/pg_ident.conf'"
mntreamer $us mntreamer
mntreamer $us postgres
mntreamer postgres postgres
mntreamer $2 mntreamer
END
}


database_sql() {
    database_as "$pg_bin/psql" -X -q -A -t -h "$1" -U postgres -d postgres \
        -v ON_ERROR_STOP=1 -c "$2"
}


# database_runs DIRECTORY

database_runs() {
    [ -e "$1/postmaster.pid" ] || return 1

    database_programs
    database_as "$pg_bin/pg_ctl" -D "$1" status >/dev/null 2>&1
}


# database_stop DIRECTORY

database_stop() {
    database_runs "$1" || return 0

    database_as "$pg_bin/pg_ctl" -D "$1" -w -t 30 -m fast stop >/dev/null 2>&1 \
        || database_as "$pg_bin/pg_ctl" -D "$1" -w -t 10 -m immediate stop \
               >/dev/null 2>&1
}
