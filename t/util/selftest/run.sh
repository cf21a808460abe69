#!/bin/bash

# Copyright (C) the mntreamer authors

# The negative controls of our own checkers: each must find what is wrong in
# bad/ and nothing in good/.


set -u

here=$(cd "$(dirname "$0")" && pwd -P)
util=$here/..
rc=0


# finds TEXT COMMAND...: the command fails and says so

finds() {
    local text=$1 out

    shift

    if out=$("$@" 2>&1); then
        echo "selftest: not found: $text"
        rc=1
    elif ! grep -qF -- "$text" <<<"$out"; then
        echo "selftest: not said: $text"
        rc=1
    fi
}


# passes COMMAND...

passes() {
    local out

    out=$("$@" 2>&1) || { echo "selftest: refused: $*: $out"; rc=1; }
}


cd "$here" || exit 2

deps=(bash "$util/check-deps.sh" "$here/bad")
finds 'base/mnt_up.c: "../loop/ngx_mntreamer_x.h" is not below base' \
    "${deps[@]}"
finds 'base/mnt_up.c: is plain C' "${deps[@]}"
passes bash "$util/check-deps.sh" "$here/good"

# style.pl reserves calls by the file's path in the module

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/ngx_mntreamer_module/loop"
cd "$tmp" || exit 2

bad() {
    printf '%b' "$1" >ngx_mntreamer_module/loop/x.c
    finds "$2" perl "$util/style.pl" ngx_mntreamer_module/loop/x.c
}

bad "$(printf 'x%.0s' {1..80})\n"          'longer than 79 columns'
bad '\tx;\n'                               'has a tab'
bad 'x; \n'                                'ends in a space'
bad 'x;'                                   'does not end in a newline'
bad 'x; // y\n'                            'has a // comment'
bad '#if 0\n#endif\n'                      'is dead code'
bad '/* TODO: x */\n'                      'is a TODO without'
bad '    strcpy(a, b);\n'                  'calls strcpy'
bad '    rename(a, b);\n'                  'only storage renames'
bad '    curl_easy_init();\n'              'calls libcurl'
bad '    PQfinish(c);\n'                   'calls libpq'
bad '    if (x) return;\n'                 'has no braces'
bad "f()\n{\n$(printf 'x;\\n%.0s' {1..100})}\n" 'is a function of 102 lines'
bad "$(printf '\\n%.0s' {1..901})"         'passes 900 lines'

printf '%s\n' '/* strcpy(a, b) */' 'x = "rename(a)";' '/* TODO (#12) */' \
    '    if (x) {' '        y(z);' '    }' >ngx_mntreamer_module/loop/x.c
passes perl "$util/style.pl" ngx_mntreamer_module/loop/x.c

cd "$here" || exit 2

directives=(perl "$util/check-directives.pl" bad/directives.md directives.c)
finds '"storage" is missing' "${directives[@]}"
finds '"ghost" is no directive' "${directives[@]}"
finds '"lease" is allowed in "mntreamer", not in "platform"' \
    "${directives[@]}"
finds 'the default of "lease" is 15000' "${directives[@]}"
passes perl "$util/check-directives.pl" good/directives.md directives.c

finds '"GET /api/v1/live" is missing' \
    perl "$util/check-routes.pl" bad/api.md routes.c
finds '"POST /api/v1/ghost" is no route' \
    perl "$util/check-routes.pl" bad/api.md routes.c
passes perl "$util/check-routes.pl" good/api.md routes.c

names=(perl "$util/check-names.pl")
finds 'there is no "mnt_gone()"' "${names[@]}" bad bad/names.md
finds 'there is no "base/mnt_gone.c"' "${names[@]}" bad bad/names.md
finds 'there is no "..._nowhere()"' "${names[@]}" bad bad/names.md
finds 'there is no "mntreamer_ghosts_total"' "${names[@]}" bad bad/names.md
finds 'there is no "mntreamer_probes_total{cause}"' \
    "${names[@]}" good bad/names.md
passes "${names[@]}" good good/names.md

exit "$rc"
