
# Copyright (C) the mntreamer authors

# The module is built in a copy of the tree of nginx-dev, with the flags of
# the distribution's nginx, which so accepts it.


nginx_tree=/usr/share/nginx/src

# not -Wwrite-strings: nginx's directive handlers return text as char *

warnings='-W -Wall -Wpointer-arith -Wno-unused-parameter -Wshadow
          -Wstrict-prototypes -Wformat=2 -Werror'

# gcc does not know nginx's alignment tricks to be harmless

sanitizers='-fsanitize=address,undefined -fno-sanitize-recover=undefined
            -fno-sanitize=nonnull-attribute -fno-omit-frame-pointer'


# as the distribution builds its own (RELIABILITY S43); the place of the source
# is not in what is built, so that it is the same everywhere

hardened="-g -O2 -fPIC -fstack-protector-strong -D_FORTIFY_SOURCE=2
          -ffile-prefix-map=$top=."


# build WHAT: "yes" also under sanitizers, "figures" also with the places where
# a figure kills it, "no" neither

build() {
    mkdir -p "$build" 2>/dev/null && [ -w "$build" ] \
        || fail "$build cannot be written"

    exec 8>"$build/.lock"
    flock -n 8 || { say "waiting for another build"; flock 8; }

    build_module "$build" "" "$(echo $hardened)"
    build_tool
    build_page

    if [ "$1" = yes ]; then
        build_module "$build/san" "$sanitizers" \
            "-g -O1 -fPIC -DNGX_DEBUG_PALLOC=1 -DNGX_HAVE_NONALIGNED=0"
        build_san_nginx
    fi

    if [ "$1" = figures ]; then
        build_module "$build/inject" "" \
            "$(echo $hardened) -DNGX_MNTREAMER_INJECT=1"
        make -s -C "$top/t/figures" || fail "the figures could not be built"
    fi

    exec 8>&-
}


# build_module DIRECTORY EXTRA-FLAGS COMPILER-OPTIONS

build_module() {
    local out=$1/nginx tree=$build/nginx-tree flags log=$1/build.log
    local module=ngx_mntreamer_module.so

    case $out in
        *[[:space:]]*) fail "nginx cannot be built below a path with spaces" ;;
    esac

    [ -e "$1/$module" ] || say "building the module"

    mkdir -p "$1"
    build_tree "$tree"
    build_configure "$out" "$tree" "$3" "$log"

    sh "$top/t/util/embed-sql.sh" "$top/conf/sql" \
        "$out/ngx_mntreamer_migrations.c" || exit 1

    flags=$(sed -n 's/^CFLAGS = *//p' "$out/Makefile")

    if ! make -s -C "$tree" -f "$out/Makefile" -j"$(nproc)" \
         CFLAGS="$flags $(echo $warnings $2)" \
         LINK="cc $(echo $2)" modules >"$log" 2>&1
    then
        cat "$log" >&2
        fail "the module could not be built (see above)"
    fi

    # a running nginx keeps the file it has mapped

    if ! cmp -s "$out/$module" "$1/$module"; then
        cp "$out/$module" "$1/$module.new"
        mv -f "$1/$module.new" "$1/$module"
    fi
}


# nginx's configure writes into its own directory, which belongs to root

build_tree() {
    local version

    [ -r "$nginx_tree/conf_flags" ] \
        || fail "the source tree of nginx-dev is not in $nginx_tree"

    version=$(dpkg-query -W -f='${Version}' nginx-dev)

    [ "$(cat "$1/.version" 2>/dev/null)" = "$version" ] && return

    rm -rf "$1" "$build/nginx" "$build/san/nginx" "$build/inject/nginx"
    cp -R "$nginx_tree" "$1"
    printf '%s\n' "$version" >"$1/.version"
}


# again only when a file came or went, or the recipe changed

build_configure() {
    local out=$1 tree=$2 options=$3 log=$4 recipe

    recipe=$(cd "$top" && { pwd; echo "$options"; cat config
             ls ngx_mntreamer_module/*.[ch] ngx_mntreamer_module/*/*.[ch]
             } | cksum)

    [ "$(cat "$out/.recipe" 2>/dev/null)" = "$recipe" ] && return

    mkdir -p "$out"
    rm -f "$out/.recipe"

    if ! (cd "$tree" || exit 1
          . ./conf_flags
          ./configure "${NGX_CONF_FLAGS[@]}" --with-cc-opt="$options" \
              --with-ld-opt="-fPIC -Wl,-z,relro -Wl,-z,now" \
              --add-dynamic-module="$top" --builddir="$out") >"$log" 2>&1
    then
        grep -v '^ *$' "$log" | tail -5 >&2
        fail "nginx's configure refused the module (see $log)"
    fi

    printf '%s\n' "$recipe" >"$out/.recipe"
}


build_tool() {
    local log=$build/tools.log

    if ! make -s -C "$top/t/unit" -j"$(nproc)" tools >"$log" 2>&1; then
        cat "$log" >&2
        fail "mnt-hls could not be built (see above)"
    fi
}


# The page's player.  Without a package registry everything else works, and
# so does the page in a browser that plays HLS itself.

build_page() {
    local vendor=$top/www/vendor

    node_packages --omit=dev || {
        say "hls.js could not be fetched by npm: the page plays only in" \
            "browsers that know HLS (see $build/npm.log)"
        return 0
    }

    mkdir -p "$vendor"
    cmp -s "$build/npm/node_modules/hls.js/dist/hls.min.js" \
        "$vendor/hls.min.js" \
        || cp "$build/npm/node_modules/hls.js/dist/hls.min.js" "$vendor/"
}


# node_packages [--omit=dev]; what the lock file names, into build/npm

node_packages() {
    local npm=$build/npm state

    state="$(cat "$top/www/package-lock.json") ${1-}"

    case $(cat "$npm/.state" 2>/dev/null) in
        "$state" | "${state% --omit=dev} ") return ;;
    esac

    mkdir -p "$npm"
    cp "$top/www/package.json" "$top/www/package-lock.json" "$npm/"

    (cd "$npm" && npm ci --no-audit --no-fund --ignore-scripts "$@") \
        >"$build/npm.log" 2>&1 </dev/null || return 1

    printf '%s' "$state" >"$npm/.state"
}


# the packaged nginx with the sanitizers' runtimes loaded first; it refuses
# to start when a module brings its own ngx_modules, hence detect_odr_violation

build_san_nginx() {
    cat >"$build/san/nginx.new" <<END
#!/bin/sh
# a test may have its own idea of where reports go
: "\${ASAN_OPTIONS:=detect_odr_violation=0:detect_leaks=0:log_path=$build/san/report}"
: "\${UBSAN_OPTIONS:=print_stacktrace=1:log_path=$build/san/report}"
LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(
            gcc -print-file-name=libubsan.so)"
export ASAN_OPTIONS UBSAN_OPTIONS LD_PRELOAD
exec $(PATH=$PATH:/usr/sbin command -v nginx) "\$@"
END
    chmod +x "$build/san/nginx.new"
    mv -f "$build/san/nginx.new" "$build/san/nginx-san"
}
