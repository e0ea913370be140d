#!/bin/sh
# Switches the host's trace of device accesses on or off, and returns when it is done: outboard-trace on|off
exec 3<>/dev/virtio-ports/outboard.host || exit 1
echo "trace $1" >&3
read -r answer <&3
[ "$answer" = ok ] || { echo "outboard-trace: $answer" >&2; exit 1; }
