# as_root COMMAND…: what changes the system, for scripts that may be run by anybody; sourced, not
# run. Whoever sources it says how it dies: die MESSAGE.
# shellcheck shell=bash

as_root() {
    if [[ $(id -u) == 0 ]]; then
        DEBIAN_FRONTEND=noninteractive "$@"
    elif command -v sudo >/dev/null; then
        sudo DEBIAN_FRONTEND=noninteractive "$@"
    else
        die "needs root for: $* (run it as root, then run $0 again)"
    fi
}
