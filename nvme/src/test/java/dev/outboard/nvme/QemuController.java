package dev.outboard.nvme;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/** QEMU's controllers without a guest. */
final class QemuController {
    /**
     * Namespaces as {@code rig} has them in its third controller: blocks of 512 and of 4096 bytes, metadata apart and
     * between the blocks, protection information, zones, and one that is not attached.
     */
    static final String SEVERAL_NAMESPACES = "qemu:nvme?subsys=outboard&ns1.size=16M"
            + "&ns2.size=16M&ns2.logical_block_size=4096&ns2.physical_block_size=4096"
            + "&ns3.size=16M&ns3.ms=8"
            + "&ns4.size=16M&ns4.ms=8&ns4.mset=1"
            + "&ns5.size=16M&ns5.ms=8&ns5.pi=1"
            + "&ns6.size=16M&ns6.zoned=on&ns6.zoned.zone_size=1M&ns6.zoned.max_open=3&ns6.zoned.max_active=5"
            + "&ns7.size=16M&ns7.detached=on";

    private QemuController() {}

    static void require() {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/qemu-system-x86_64")), "needs QEMU: qemu-system-x86");
    }

    /** The one that this JVM has started. */
    static ProcessHandle process() {
        return ProcessHandle.current()
                .children()
                .filter(child -> child.info().command().orElse("").contains("qemu-system"))
                .findFirst()
                .orElseThrow();
    }
}
