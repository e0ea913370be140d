#!/bin/busybox sh
# The first process of a guest: makes the host's tree, with a layer of memory to write to, the root.
bb=/bin/busybox
set -e
trap '$bb echo "outboard: init failed"; $bb poweroff -f' EXIT

$bb mount -t proc proc /proc
$bb mount -t sysfs sysfs /sys
$bb mount -t devtmpfs devtmpfs /dev
while read -r module; do
    $bb insmod "/modules/$module"
done </modules/order

$bb mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose hostroot /host
$bb mount -t tmpfs -o size=75% tmpfs /own
$bb mkdir /own/upper /own/work
$bb mount -t overlay -o lowerdir=/host,upperdir=/own/upper,workdir=/own/work overlay /root

for mount in proc sys dev; do
    $bb mkdir -p "/root/$mount"
    $bb mount --move "/$mount" "/root/$mount"
done
$bb mkdir -p /root/run
$bb mount -t tmpfs tmpfs /root/run
$bb mkdir -p /root/run/outboard/bin /root/run/outboard/control /root/run/lock
$bb cp /agent /root/run/outboard/agent
$bb cp /outboard-trace /outboard-monitor /root/run/outboard/bin/
trap - EXIT
exec $bb switch_root /root /run/outboard/agent
