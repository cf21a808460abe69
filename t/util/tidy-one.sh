#!/bin/bash

# Copyright (C) the mntreamer authors

# usage: tidy-one.sh FILE; the settings come from lint.sh


set -u

mark=$state/$(printf '%s %s' "$headers" "$1" | cat - "$1" | cksum | tr ' ' -)

[ -e "$mark" ] && exit 0

out=$(clang-tidy --quiet --checks="$tidy_checks" --warnings-as-errors='*' \
      "$1" -- -DNDEBUG -I ngx_mntreamer_module -I "$objects" \
      -I "$tree/core" -I "$tree/event" -I "$tree/event/modules" \
      -I "$tree/event/quic" -I "$tree/os/unix" -I "$tree/http" \
      -I "$tree/http/modules" -I "$tree/http/v2" \
      -I "$(pg_config --includedir 2>/dev/null)" 2>/dev/null) \
    || { printf '%s\n' "$out"; exit 1; }

touch "$mark"
