# Sourced by bench/compare and bench/jmh, after scripts/common.sh: builds the room and the peers.
# shellcheck shell=sh

build_bench() {
    stamp=$root/bench/target/app/.built
    if stale "$stamp"; then
        say "building the benchmarks…"
        (cd "$root" && maven -q -DskipTests -pl bench -am package >&2) || fail "the benchmarks do not build"
        touch "$stamp"
    fi
}

# make knows what is stale.
build_peers() {
    need gcc command -v gcc
    need make command -v make
    need libc6-dev test -e /usr/include/stdlib.h
    need linux-libc-dev test -e /usr/include/linux/vfio.h
    install_missing || fail "the peers are C programs"
    make -s -C "$root/bench/peers" OUT="$root/bench/target/peers" >&2 || fail "the peers do not build"
}
