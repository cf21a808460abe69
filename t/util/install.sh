
# Copyright (C) the mntreamer authors

# Packages, from the machine's own apt configuration.  Nothing is asked of
# apt, and no root is needed, when all is there.


# PACKAGE or PACKAGE:COMMAND, where a command of another origin will do

packages_build='gcc:gcc make:make libc6-dev nginx nginx-dev
                libcurl4-openssl-dev libpq-dev libjansson-dev libssl-dev
                nodejs:node npm:npm'
packages_run="$packages_build libnginx-mod-rtmp postgresql
              python3-minimal:/usr/bin/python3 libpython3-stdlib ffmpeg:ffmpeg fonts-dejavu-core"
packages_fuzz="clang:clang libclang-rt-dev llvm:llvm-symbolizer make:make
               libc6-dev libjansson-dev"
packages_test="$packages_run $packages_fuzz perl:perl libcmocka-dev
               libtest-nginx-perl chromium:chromium curl:curl mpv:mpv pgbouncer
               e2fsprogs openssl:openssl gstreamer1.0-tools:gst-launch-1.0
               gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
               strace:strace"
packages_lint="$packages_build clang:clang cppcheck:cppcheck
               clang-tidy:clang-tidy perl:perl libcmocka-dev"
packages_bench="$packages_run wrk:wrk curl:curl perl:perl chromium:chromium"
packages_figures="$packages_test wrk:wrk
                  streamlink:streamlink yt-dlp:yt-dlp"


# install_packages build|run|test|lint|bench|fuzz|figures

install_packages() {
    local list=packages_$1 entry package missing=()

    for entry in ${!list}; do
        package=${entry%%:*}

        case $entry in
            *:*) command -v "${entry#*:}" >/dev/null && continue ;;
        esac

        package_installed "$package" || missing+=("$package")
    done

    [ ${#missing[@]} -eq 0 ] && return

    command -v apt-get >/dev/null \
        || fail "missing here: ${missing[*]} (and there is no apt to get them)"

    if [ "$(id -u)" -eq 0 ]; then
        root=()
    elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true; } \
        2>/dev/null
    then
        root=(sudo)
    else
        fail "missing here: ${missing[*]}; install them as root," \
             "or run this once as root or with sudo"
    fi

    say "installing (this may take minutes): ${missing[*]}"
    mkdir -p "$build" 2>/dev/null || fail "$build cannot be made"

    exec 9>"$build/.apt.lock"
    flock 9
    packages_get "${missing[@]}"
    exec 9>&-
}


package_installed() {
    local status

    status=$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)

    [ "$status" = installed ]
}


packages_get() {
    local package plain=() testing=()

    apt_do update || fail "the list of packages could not be fetched"

    for package in "$@"; do
        if apt-cache show --no-all-versions "$package" >/dev/null 2>&1; then
            plain+=("$package")
        else
            testing+=("$package")
        fi
    done

    services_hold

    if [ ${#plain[@]} -gt 0 ]; then
        apt_do install -y --no-install-recommends "${plain[@]}" \
            || fail "could not install: ${plain[*]} (see above)"
    fi

    for package in "${testing[@]+"${testing[@]}"}"; do
        package_from_testing "$package"
    done

    services_release
}


apt_do() {
    local log

    log=$("${root[@]+"${root[@]}"}" env DEBIAN_FRONTEND=noninteractive \
          NEEDRESTART_MODE=l LC_ALL=C.UTF-8 \
          apt-get -q -o DPkg::Lock::Timeout=300 "$@" 2>&1 </dev/null)  \
        || { printf '%s\n' "$log" | tail -15 >&2; return 1; }
}


# What we install is not to start, and what runs is not to be stopped: as
# long as we install, policy-rc.d says no to both, and no cluster is made.

hold_policy=/usr/sbin/policy-rc.d
hold_cluster=/etc/postgresql-common/createcluster.d/mntreamer.conf

services_hold() {
    trap services_release EXIT
    trap 'exit 1' INT TERM HUP

    "${root[@]+"${root[@]}"}" sh -c '
        if [ -e "$1" ] && ! grep -qs "mntreamer holds" "$1"; then
            mv -f "$1" "$1.mntreamer"
        fi

        printf "#!/bin/sh\n# mntreamer holds services back\nexit 101\n" >"$1"
        chmod 755 "$1"

        mkdir -p "${2%/*}"
        echo "create_main_cluster = false" >"$2"
        ' sh "$hold_policy" "$hold_cluster"
}


services_release() {
    trap - EXIT INT TERM HUP

    "${root[@]+"${root[@]}"}" sh -c '
        rm -f "$1" "$2"

        if [ -e "$1.mntreamer" ]; then
            mv -f "$1.mntreamer" "$1"
        fi
        ' sh "$hold_policy" "$hold_cluster"
}


# A package that this release lacks: its file is fetched from the testing
# suite of the mirror this machine uses, with lists and settings of our own,
# so that the machine's apt never hears of that suite.  What it depends on
# comes from this release.  A mirror that stands still is past the date of its
# lists, which are signed all the same.

package_from_testing() {
    local apt=$build/apt uri key file

    # the first source of this release's own suite

    uri=$(apt-get indextargets \
          --format '$(RELEASE) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' \
          | awk -v name="$(. /etc/os-release; echo "${VERSION_CODENAME-}")" \
                '$1 == name || $2 == name { print $3; exit }')

    [ -n "${uri-}" ] \
        || fail "$1 is not in this release, and no mirror to ask was found"

    rm -rf "$apt"
    mkdir -p "$apt/etc/parts" "$apt/lists/partial" "$apt/files"

    cat >"$apt/etc/parts/testing.sources" <<END
Types: deb
URIs: $uri
Suites: testing
Components: main
Check-Valid-Until: no
END

    for key in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
        if [ -e "$key" ]; then
            echo "Signed-By: $key" >>"$apt/etc/parts/testing.sources"
            break
        fi
    done

    cat >"$apt/apt.conf" <<END
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$apt/etc/parts";
Dir::State::Lists "$apt/lists";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
APT::Sandbox::User "root";
END

    if ! (cd "$apt/files" && APT_CONFIG=$apt/apt.conf apt-get -qq update \
          && APT_CONFIG=$apt/apt.conf apt-get -qq download "$1") \
        >"$apt/log" 2>&1
    then
        tail -5 "$apt/log" >&2
        fail "$1 could not be fetched from the testing suite of $uri"
    fi

    file=$(ls "$apt/files/$1"_*_all.deb 2>/dev/null) \
        || fail "$1 of the testing suite is not for every architecture"

    apt_do install -y --no-install-recommends "$file" \
        || fail "could not install $1 of the testing suite (see above)"

    rm -rf "$apt"
}
