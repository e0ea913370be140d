/**
 * Real kernels for tests.
 *
 * <p>Boots a stock Debian kernel in QEMU on the host's own file tree, runs commands in it, and hands their output, exit
 * status, files and the device accesses that they caused back to the host.
 */
module dev.outboard.rig {
    requires static org.jspecify;

    exports dev.outboard.rig;
}
