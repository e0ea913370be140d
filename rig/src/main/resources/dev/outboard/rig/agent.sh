#!/bin/sh
# Process 1 of a guest on the host's tree: sets it up, then runs what the host asks for on the control port.
PATH=/run/outboard/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH

mkdir -p /dev/pts /dev/shm /dev/virtio-ports
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
ln -sfn /proc/self/fd /dev/fd
ln -sfn /proc/self/fd/0 /dev/stdin
ln -sfn /proc/self/fd/1 /dev/stdout
ln -sfn /proc/self/fd/2 /dev/stderr
for port in /sys/class/virtio-ports/*; do
    read -r name <"$port/name"
    ln -s "../${port##*/}" "/dev/virtio-ports/$name"
done

off() {
    sync
    echo o >/proc/sysrq-trigger
    # The power goes off in a worker of the kernel, and process 1 must not end before.
    exec sleep 60
}

exec 4<>/dev/virtio-ports/outboard.control
exec 5>/dev/virtio-ports/outboard.stdout 6>/dev/virtio-ports/outboard.stderr
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=none control /run/outboard/control
if ! . /run/outboard/control/boot.sh; then
    echo "failed" >&4
    off
fi
echo "ready" >&4

while read -r request number <&4; do
    case "$request" in
        run)
            # A session of its own, but not its leader: a leader that opens a serial port gets it as its terminal,
            # and is stopped when it reads from it in the background.
            setsid -w /bin/sh -c '/bin/sh "$0"; exit $?' "/run/outboard/control/run-$number.sh" \
                </dev/null >&5 2>&6 4>&- 5>&- 6>&-
            status=$?
            sync
            echo "exit $number $status" >&4
            ;;
        off) off ;;
    esac
done
# The host has gone.
off
