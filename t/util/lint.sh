#!/bin/bash

# Copyright (C) the mntreamer authors

# usage: lint.sh [--quick]
#
# Every check of the source; --quick leaves the two analysers out.  Run by
# ./mntreamer lint, which has built before, with gcc: clang and clang-tidy want
# nginx's headers.


set -u

top=$(cd "$(dirname "$0")/../.." && pwd -P)
util=t/util
failed=0

cd "$top" || exit 2
. "$util/build.sh"

build=$top/build
module=$(ls ngx_mntreamer_module/*.[ch] ngx_mntreamer_module/*/*.[ch])
others=$(ls t/unit/*.h t/unit/*/*.[ch] t/fuzz/*.[ch] t/tools/*.c t/bench/*.c \
         2>/dev/null)
glue=$(ls ngx_mntreamer_module/*.c ngx_mntreamer_module/*/ngx_*.c)
plain=$(ls ngx_mntreamer_module/*/mnt_*.c)
documents=$(ls docs/*.md docs/adr/*.md README.md CONTRIBUTING.md)
scripts="mntreamer .ci/run $(ls conf/demo/*.sh t/util/*.sh)"


# where nginx's headers are, for tools that compile nothing

tree=$build/nginx-tree/src
includes="-I ngx_mntreamer_module -I $build/nginx
          -I $(pg_config --includedir 2>/dev/null)"

for directory in core event event/modules event/quic os/unix http http/modules \
                 http/v2 http/v3
do
    includes+=" -I $tree/$directory"
done


# check NAME COMMAND...

check() {
    local name=$1 out

    shift

    if out=$("$@" 2>&1); then
        printf 'ok      %s\n' "$name"
    else
        printf 'FAILED  %s\n%s\n' "$name" "$out"
        failed=1
    fi
}


scripts_parse() {
    local file rc=0

    for file in $scripts; do
        bash -n "$file" || rc=1
    done

    return "$rc"
}


# nothing committed names a place of one machine or a registry

no_places() {
    ! git grep -nIE '(^|[^A-Za-z0-9_.])/(work|root)/|registry\.npm|/bash_jobs' \
        -- . ':!t/util/lint.sh'
}


page_parses() {
    local file rc=0

    for file in www/js/*.js www/js/*/*.js t/browser/*.mjs; do
        node --check "$file" || rc=1
    done

    return "$rc"
}


# every file with the warnings gcc knows; plain C strictly, as t/unit does

clang_run() {
    local rc=0

    printf '%s\n' $glue \
        | xargs -P"$(nproc)" -n8 clang -fsyntax-only $warnings $includes \
        || rc=1

    printf '%s\n' $plain \
        | xargs -P"$(nproc)" -n8 clang -fsyntax-only $warnings -std=c11 \
              -pedantic -Wextra -Wwrite-strings -I ngx_mntreamer_module \
        || rc=1

    return "$rc"
}


# nginx's parser lends its context to a block for as long as that lasts

cppcheck_run() {
    cppcheck --quiet --error-exitcode=1 --enable=warning,portability \
        --inline-suppr --std=c11 -j "$(nproc)" -I ngx_mntreamer_module \
        --suppress=missingInclude --suppress=unknownMacro \
        --suppress=nullPointerRedundantCheck --suppress=autoVariables \
        --suppress=normalCheckLevelMaxBranches \
        --cppcheck-build-dir="$build/cppcheck" \
        $(ls ngx_mntreamer_module/*.c ngx_mntreamer_module/*/*.c) $others
}


# The analyser cannot follow nginx's queues: an element that was removed and
# freed it finds again at the head.  The runs under ASan are for that.

tidy_checks='-*,clang-analyzer-*,bugprone-*,misc-redundant-expression'
tidy_checks+=',-clang-analyzer-unix.Malloc,-clang-analyzer-core.NullDereference'
tidy_checks+=',-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafe*'
tidy_checks+=',-bugprone-easily-swappable-parameters'
tidy_checks+=',-bugprone-narrowing-conversions,-bugprone-reserved-identifier'
tidy_checks+=',-bugprone-assignment-in-if-condition,-bugprone-macro-parentheses'
tidy_checks+=',-bugprone-implicit-widening-of-multiplication-result'
tidy_checks+=',-bugprone-branch-clone'

# what newer ones say of idioms of C

tidy_checks+=',-bugprone-inc-dec-in-conditions'
tidy_checks+=',-bugprone-multi-level-implicit-pointer-conversion'
tidy_checks+=',-clang-analyzer-unix.StdCLibraryFunctions'

# a file that was clean is not looked at again until something it may include
# has changed

tidy_run() {
    local state=$build/tidy headers

    mkdir -p "$state"
    headers=$(cat ngx_mntreamer_module/*.h ngx_mntreamer_module/*/*.h \
                  "$util/lint.sh" | cksum | cut -d' ' -f1)

    export state headers tidy_checks includes
    ls ngx_mntreamer_module/*.c ngx_mntreamer_module/*/*.c \
        | xargs -P"$(nproc)" -n1 bash "$util/tidy-one.sh"
}


mkdir -p "$build/cppcheck"

check "scripts parse"               scripts_parse
check "page parses"                 page_parses
check "rooms include downwards"     bash "$util/check-deps.sh"
check "style"                       perl "$util/style.pl" $module $others
check "directives are documented"   perl "$util/check-directives.pl" \
    docs/directives.md ngx_mntreamer_module/*.c \
    ngx_mntreamer_module/http/*.c ngx_mntreamer_module/rtmp/*.c
check "routes are documented"       perl "$util/check-routes.pl" \
    docs/api.md ngx_mntreamer_module/http/*.c
check "names in documents exist"    perl "$util/check-names.pl" \
    ngx_mntreamer_module $documents
check "no place of one machine"     no_places
check "checkers find what is wrong" bash "$util/selftest/run.sh"

if [ "${1-}" != --quick ]; then
    check "clang's warnings"        clang_run
    check "cppcheck"                cppcheck_run
    check "clang-tidy"              tidy_run
fi

exit "$failed"
