#!/bin/sh
# Has QEMU carry out a command of its machine protocol, which is one line of JSON, and prints the answer: outboard-monitor '{"execute": ...}'
exec 3<>/dev/virtio-ports/outboard.host || exit 1
printf '%s\n' "$1" >&3
read -r answer <&3
case "$answer" in
    '{"return"'*) printf '%s\n' "$answer" ;;
    *) printf 'outboard-monitor: %s\n' "$answer" >&2; exit 1 ;;
esac
