package dev.outboard.rig;

import java.util.Locale;

/** The sockets between QEMU and the host: the monitor, and virtio serial ports that the guest sees by name. */
enum Port {
    /** What the guest's command writes to its standard output. */
    STDOUT,
    /** What it writes to its standard error. */
    STDERR,
    /** Lines between the host and the first process of the guest. */
    CONTROL,
    /** Lines from anything in the guest that wants something of the host, each answered. */
    HOST,
    /** QEMU's machine protocol. */
    MONITOR;

    String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    String socketName() {
        return id() + ".sock";
    }
}
