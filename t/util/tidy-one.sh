#!/bin/bash

# Copyright (C) the mntreamer authors

# usage: tidy-one.sh FILE; the settings come from lint.sh


set -u

mark=$state/$(printf '%s %s' "$headers" "$1" | cat - "$1" | cksum | tr ' ' -)

[ -e "$mark" ] && exit 0

out=$(clang-tidy --quiet --checks="$tidy_checks" --warnings-as-errors='*' \
      "$1" -- -DNDEBUG $includes 2>/dev/null) \
    || { printf '%s\n' "$out"; exit 1; }

touch "$mark"
