# What the guest scripts share; sourced, not run. Where the tools for building guests are, and
# which of the two ways of building applies.
# shellcheck shell=bash

target=wasm32-wasip2

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# What isn't part of the checkout or of the distribution: wasi-libc, and the linker where rustup's
# toolchain doesn't bring one.
guest_home=${XDG_DATA_HOME:-$HOME/.local/share}/gristmill/guest
wasi_libc=$guest_home/wasi-libc/usr/lib/$target

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# The toolchain on the PATH has the target's standard library, so plain cargo will do.
target_is_installed() {
    local libraries
    libraries=$(cd "$checkout" && rustc --print target-libdir --target "$target" 2>/dev/null) || return 1
    compgen -G "$libraries/libstd-*.rlib" >/dev/null
}

# The oldest compiler that this project is built with.
rust_min=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$checkout/Cargo.toml")

# Debian's own compiler, new enough and with its library source, from which the standard library can
# be built.
debian_compiler_is_installed() {
    [[ -x /usr/bin/rustc && -x /usr/bin/cargo ]] || return 1
    [[ -f $(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/std/Cargo.toml ]] || return 1
    local version
    version=$(/usr/bin/rustc --version | cut -d ' ' -f 2)
    [[ $(printf '%s\n' "$rust_min" "$version" | sort -V | head -n 1) == "$rust_min" ]]
}

# Sets component_ld and wasm_ld: rustup's toolchains ship both, elsewhere they are installed.
find_linker() {
    local sysroot host shipped
    if command -v rustup >/dev/null && sysroot=$(cd "$checkout" && rustc --print sysroot 2>/dev/null); then
        host=$(cd "$checkout" && rustc -vV | sed -n 's/^host: //p')
        shipped=$sysroot/lib/rustlib/$host/bin
        if [[ -x $shipped/wasm-component-ld && -x $shipped/gcc-ld/wasm-ld ]]; then
            component_ld=$shipped/wasm-component-ld
            wasm_ld=$shipped/gcc-ld/wasm-ld
            return 0
        fi
    fi
    component_ld=$guest_home/bin/wasm-component-ld
    [[ -x $component_ld ]] || return 1
    wasm_ld=$(compgen -G '/usr/bin/wasm-ld-*' | sort -V | tail -n 1) && [[ -x $wasm_ld ]]
}

# Sets c_compiler and c_libraries: the newest clang that has what compiled code needs in WebAssembly; it
# finds the linkers on the PATH. The libraries are named one by one, since Debian has them elsewhere than
# clang looks.
# shellcheck disable=SC2034 # build-plugin reads them.
find_c_compiler() {
    local clang builtins
    [[ -f $wasi_libc/libc.a ]] && find_linker || return 1
    while read -r clang; do
        builtins=$("$clang" -print-resource-dir)/lib/wasi/libclang_rt.builtins-wasm32.a
        [[ -f $builtins ]] || continue
        c_compiler=("$clang" "--target=$target" "--sysroot=${wasi_libc%/lib/*}")
        c_libraries=(-nodefaultlibs -lc "$builtins")
        return 0
    done < <(compgen -G '/usr/bin/clang-[0-9]*' | sort -rV)
    return 1
}

# The standard library can be built here from the distribution's packages.
library_is_buildable() {
    debian_compiler_is_installed && [[ -f $wasi_libc/libc.a ]] && find_linker
}

# place COMPONENT PLACED: puts a component where a daemon may watch; in one step, so that it never reads half
# a file, and only if it has changed. Prints its size.
place() {
    if ! cmp -s "$1" "$2"; then
        cp "$1" "$2.new"
        mv "$2.new" "$2"
    fi
    printf '%8d %s\n' "$(stat -c %s "$2")" "${2#"$checkout/"}"
}
