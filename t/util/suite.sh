
# Copyright (C) the mntreamer authors

# ./mntreamer test: all parts, or one.  Ends with one line that sums them.


# under sanitizers only what touches memory in new ways: it is slow

san_files='t/001-*.t t/200-*.t t/211-*.t t/220-*.t t/301-*.t t/401-*.t'


# suite [PART [FILE...]]

suite() {
    local part=${1-} parts="unit nginx browser san" passed failed

    [ $# -eq 0 ] || shift

    case $part in
        '')                         ;;
        unit | nginx | browser | san) parts=$part ;;
        *) fail "there is no part \"$part\": unit, nginx, browser, san" ;;
    esac

    install_packages test

    case " $parts " in
        *" san "*) build yes ;;
    esac

    build figures

    suite_environment

    for part in $parts; do
        say "testing: $part"
        suite_part "$part" "$@"
    done

    read -r passed failed < <(awk '{ p += $1; f += $2 }
                                   END { print p + 0, f + 0 }' "$MNT_COUNTS")

    # nothing tested is nothing passed
    [ "$passed" -gt 0 ] || failed=$((failed + 1))

    printf '%d passed, %d failed\n' "$passed" "$failed"
    [ "$failed" -eq 0 ]
    exit
}


suite_environment() {
    export MNT_COUNTS=$build/test-counts
    export PERL5LIB=$top/t/util/lib:$top/t/lib${PERL5LIB:+:$PERL5LIB}
    export TEST_NGINX_BINARY TEST_NGINX_RANDOMIZE=1
    export TEST_NGINX_LOAD_MODULES=$build/ngx_mntreamer_module.so
    export MNT_MODULE=$TEST_NGINX_LOAD_MODULES

    TEST_NGINX_BINARY=$(PATH=$PATH:/usr/sbin command -v nginx)
    prove="prove --harness=MNT::Harness"

    echo "0 ${MNT_FAILED_BEFORE:-0}" >"$MNT_COUNTS"
    cd "$top" || exit 1
}


# one part; that it failed is counted even if it could not count itself

suite_part() {
    local before after

    before=$(awk '{ f += $2 } END { print f + 0 }' "$MNT_COUNTS")

    if ! "suite_$1" "${@:2}"; then
        after=$(awk '{ f += $2 } END { print f + 0 }' "$MNT_COUNTS")
        [ "$after" -gt "$before" ] || echo "0 1" >>"$MNT_COUNTS"
    fi
}


suite_unit() {
    make -s -C "$top/t/unit" -j"$(nproc)" all \
        && make -s -C "$top/t/unit" check PROVE="$prove"
}


# suite_nginx [FILE...]

suite_nginx() {
    local rc=0

    suite_database || return 1

    # most wait most of the time; the short figures less, and they have clocks

    if [ $# -gt 0 ]; then
        $prove --timer -j2 "$@" || rc=1
    else
        $prove --timer -j7 t/[0-57]*.t || rc=1
        $prove --timer -j6 t/[89]*.t || rc=1
        $prove --timer -j2 t/6*.t || rc=1
    fi

    suite_database_stop

    return "$rc"
}


# one cluster for all tests; in /tmp, where its user can always get

suite_database() {
    suite_pg=$(mktemp -d "${TMPDIR:-/tmp}/mntreamer-test.XXXXXX") || return 1
    trap suite_database_stop EXIT
    trap 'exit 1' INT TERM HUP

    chmod 755 "$suite_pg"
    [ "$(id -u)" -ne 0 ] || chown postgres: "$suite_pg"

    database_start "$suite_pg/data" "$suite_pg" nobody yes
    export MNT_PG=$suite_pg
}


suite_database_stop() {
    trap - EXIT INT TERM HUP
    database_stop "$suite_pg/data"
    rm -rf "$suite_pg"
    unset MNT_PG
}


# suite_browser [FILE...]

suite_browser() {
    local out=$build/browser.tap rc=0 lane file files=()

    node_packages || {
        tail -3 "$build/npm.log" >&2
        say "npm could not fetch what the browser tests need"
        return 1
    }

    if [ $# -gt 0 ]; then
        browser_lane "$out" "$@"
        return
    fi

    # these two wait most of the time, beside the others

    browser_lane "$out.slow" t/browser/{live,broadcast}.test.mjs >"$out.told" &
    lane=$!

    for file in t/browser/*.test.mjs; do
        case $file in
            */live.test.mjs | */broadcast.test.mjs) ;;
            *) files+=("$file") ;;
        esac
    done

    browser_lane "$out" "${files[@]}" || rc=1
    wait "$lane" || rc=1
    cat "$out.told"

    return "$rc"
}


# browser_lane TAP FILE...

browser_lane() {
    local out=$1 rc
    shift

    MNT_NODE=$build/npm node --test --test-reporter=tap "$@" | tee "$out"
    rc=${PIPESTATUS[0]}

    awk '/^# pass / { p = $3 } /^# fail / { f = $3 } /^# cancelled / { c = $3 }
         END { print p + 0, f + c }' "$out" >>"$MNT_COUNTS"

    return "$rc"
}


# suite_san [FILE...]

suite_san() {
    local rc=0 report

    rm -f "$build"/san/report.*

    # the files are expanded here
    [ $# -gt 0 ] || set -- $san_files

    if [ ${#rest[@]} -le 1 ]; then
        make -s -C "$top/t/unit" -j"$(nproc)" SAN=1 all \
            && make -s -C "$top/t/unit" SAN=1 check PROVE="$prove" || rc=1
    fi

    suite_database || return 1

    TEST_NGINX_BINARY=$build/san/nginx-san \
    TEST_NGINX_LOAD_MODULES=$build/san/ngx_mntreamer_module.so \
    MNT_MODULE=$build/san/ngx_mntreamer_module.so \
    MNT_SAN="$(gcc -print-file-name=libasan.so) $(
               gcc -print-file-name=libubsan.so)" \
        $prove -j2 "$@" || rc=1

    suite_database_stop

    for report in "$build"/san/report.*; do
        [ -e "$report" ] || continue

        head -40 "$report" >&2
        echo "0 1" >>"$MNT_COUNTS"
        rc=1
    done

    return "$rc"
}
