# What guests are built with and Debian has: its packages, and the wasi-libc of a later release. Sourced after
# guest-common.sh, not run.
# shellcheck shell=bash
# shellcheck disable=SC2154 # guest-common.sh says where things are.

# shellcheck source=scripts/as-root.sh
source "$(dirname "${BASH_SOURCE[0]}")/as-root.sh"

# The lists are read anew first: on a fresh image they may be missing, or know only an older compiler.
install_packages() {
    # A source that doesn't matter here may be out of reach.
    as_root apt-get -qq update >&2 || echo "${0##*/}: apt couldn't read all of its lists" >&2
    as_root apt-get -qq install --no-install-recommends -y "$@" >&2 ||
        die "apt can't install $*: is the -security part of this Debian among its sources?"
}

# The address that this machine takes Debian from; a mirror stays a mirror.
debian_archive() {
    # shellcheck disable=SC2016 # apt's own variables.
    apt-get indextargets --format '$(LABEL)|$(REPO_URI)' 'Created-By: Packages' 'Component: main' |
        sed -n '/^Debian|/{s/^Debian|//p;q}'
}

# fetch_wasi_libc ARCHIVE SUITE STAGING: this suite's package, unpacked into STAGING/files. It is
# fetched by apt, which checks its signature, with a configuration of its own: the machine's
# sources stay as they are.
fetch_wasi_libc() {
    local staging=$3/$2
    mkdir -p "$staging/lists/partial" "$staging/cache/archives/partial"
    echo "deb $1 $2 main" >"$staging/sources.list"
    local options=(
        -qq
        -o "Dir::Etc::SourceList=$staging/sources.list"
        -o "Dir::Etc::SourceParts=/dev/null"
        -o "Dir::State::Lists=$staging/lists"
        -o "Dir::Cache=$staging/cache"
        # apt's own user can't write into the folder, and the download needs no more rights.
        -o "APT::Sandbox::User="
    )
    apt-get "${options[@]}" update >&2 || return 1
    (cd "$staging" && apt-get "${options[@]}" download wasi-libc >&2) || return 1
    dpkg -x "$staging"/wasi-libc_*.deb "$3/files"
    [[ -f $3/files/usr/lib/$target/libc.a ]]
}

# Debian 12's wasi-libc doesn't know the target. The package is only files, so a later release's
# can be unpacked anywhere. The newest one goes best with the compiler; trixie's links nothing that
# so much as asks for a thread.
unpack_wasi_libc() {
    local archive staging suite
    archive=$(debian_archive)
    if [[ -z $archive ]]; then
        as_root apt-get -qq update >&2
        archive=$(debian_archive)
    fi
    [[ -n $archive ]] || die "apt has no source of Debian's main archive to take wasi-libc from"
    mkdir -p "$guest_home"
    staging=$(mktemp -d "$guest_home/.wasi-libc.XXXXXX")
    # shellcheck disable=SC2064 # The folder is known now, and local.
    trap "rm -rf '$staging'" EXIT
    for suite in forky trixie; do
        if fetch_wasi_libc "$archive" "$suite" "$staging"; then
            rm -rf "$guest_home/wasi-libc"
            mv "$staging/files" "$guest_home/wasi-libc"
            return
        fi
    done
    die "apt can't fetch a wasi-libc with $target from $archive"
}
