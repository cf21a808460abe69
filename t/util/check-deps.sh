#!/bin/bash

# Copyright (C) the mntreamer authors

# usage: check-deps.sh [MODULE-DIRECTORY]
#
# Rooms include only rooms below them, and plain C knows no nginx, libcurl or
# libpq.  Each finding is a line; the exit code tells whether there was one.


set -u

dir=${1:-$(dirname "$0")/../../ngx_mntreamer_module}
found=0


# the rooms a room may include, besides itself

declare -A below=(
    [base]=''
    [hls]='base'
    [platform]='base hls'
    [loop]='base'
)

low='base hls platform loop'
below[storage]=$low
below[metrics]=$low
below[catalog]="$low storage metrics"

for room in monitor recorder library events; do
    below[$room]="${below[catalog]} catalog"
done

for room in http rtmp; do
    below[$room]="${below[monitor]} monitor recorder library events"
done

# the hooks are a location

below[rtmp]+=' http'

below[.]="${below[http]} http rtmp"


wrong() {
    printf '%s\n' "$1"
    found=1
}


cd "$dir" || exit 2

for file in *.[ch] */*.[ch]; do
    [ -e "$file" ] || continue

    room=$(dirname "$file")
    name=$(basename "$file")

    if [ -z "${below[$room]+known}" ]; then
        wrong "$file: a room \"$room\" is not known to check-deps.sh"
        continue
    fi

    while IFS= read -r include; do
        path=$(realpath -m --relative-to=. "$room/$include")

        # the module's own folder is searched, too
        [ -e "$path" ] || path=$include

        other=$(dirname "$path")

        case " $room ${below[$room]} " in
            *" $other "*) ;;
            *) wrong "$file: \"$include\" is not below $room" ;;
        esac
    done < <(sed -n 's/^ *# *include *"\([^"]*\)".*/\1/p' "$file")

    case $room/$name in
        base/* | hls/* | platform/* | */mnt_*)
            if grep -nE '\b(ngx|NGX)_|# *include *<(curl|libpq|nginx)' \
               "$file" | grep -vE '^[0-9]+: ?[/ ]\*'
            then
                wrong "$file: is plain C and must not know nginx"
            fi
            ;;
    esac
done

exit "$found"
