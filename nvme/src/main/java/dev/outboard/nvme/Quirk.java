package dev.outboard.nvme;

import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/**
 * What some controllers do otherwise than the specification says, and this driver gets along with. Which do is known from
 * the tables of Linux (drivers/nvme/host/pci.c, {@code nvme_id_table}) and of SPDK (lib/nvme/nvme_quirks.c), by their PCI
 * ids, and of QEMU from its source (hw/nvme/dif.c); what these know of no consequence here (names of namespaces and
 * subsystems, power states that a kernel chooses) is left out.
 */
enum Quirk {
    /** After CC.EN was cleared, CSTS must not be read for a while. */
    DELAY_BEFORE_READY_CHECK,
    /** After a function's reset or a hot plug it needs time before it is enabled. */
    DELAY_BEFORE_ENABLING,
    /** A queue must not be used right after it was created. */
    DELAY_AFTER_QUEUE_CREATION,
    /** Identify knows controller and namespace, and answers nonsense to all else. */
    ONLY_BASIC_IDENTIFY,
    /** Identification descriptors of a namespace are not there, or nonsense. */
    NO_NAMESPACE_DESCRIPTORS,
    /** Write zeroes is said to be there, and is slow or does harm. */
    NO_WRITE_ZEROES,
    /** Write zeroes makes guards of 16 bits only, which are 0 then, and leaves longer ones at 0, too. */
    NO_LONG_GUARDS_OF_ZEROES,
    /** Is fast only for what stays within a stripe, whose size is a vendor's field of identify controller. */
    STRIPED,
    /** Only the first interrupt vector works. */
    SINGLE_VECTOR,
    /** More than one command on its way in a queue loses data. */
    ONE_COMMAND,
    /** CAP.MQES is 0, which says one entry, and means 64. */
    NO_QUEUE_SIZE,
    /** Does not wake up from its deepest power state. */
    NO_DEEPEST_POWER_STATE,
    /** Temperature thresholds must stay as they are. */
    NO_TEMPERATURE_THRESHOLD,
    /** Has submission queue entries of 128 bytes, and identifiers of commands that all queues share. */
    FOREIGN_QUEUES;

    private static final Map<Integer, Set<Quirk>> TABLE = Map.ofEntries(
            // Intel 750, P3500, P3600, P3700.
            known(0x8086, 0x0953, STRIPED, DELAY_BEFORE_ENABLING),
            // Intel P3520.
            known(0x8086, 0x0a53, STRIPED, DELAY_BEFORE_ENABLING),
            // Intel P4500, P4600.
            known(0x8086, 0x0a54, STRIPED),
            // Dell Express Flash P4600.
            known(0x8086, 0x0a55, STRIPED),
            // Intel 600p, P3100.
            known(0x8086, 0xf1a5, NO_WRITE_ZEROES, NO_DEEPEST_POWER_STATE, NO_TEMPERATURE_THRESHOLD),
            // QEMU before 5.2, or with use-intel-id.
            known(0x8086, 0x5845, ONLY_BASIC_IDENTIFY, NO_WRITE_ZEROES),
            // QEMU since.
            known(0x1b36, 0x0010, NO_LONG_GUARDS_OF_ZEROES),
            // CNEX Labs.
            known(0x1d1d, 0x1f1f, ONLY_BASIC_IDENTIFY),
            // Silicon Motion.
            known(0x126f, 0x2263, NO_NAMESPACE_DESCRIPTORS),
            // Seagate Nytro.
            known(0x1bb1, 0x0100, DELAY_BEFORE_READY_CHECK, NO_NAMESPACE_DESCRIPTORS),
            // Lexar.
            known(0x1b4b, 0x1092, NO_NAMESPACE_DESCRIPTORS),
            // HGST; WDC SN200.
            known(0x1c58, 0x0003, DELAY_BEFORE_READY_CHECK),
            known(0x1c58, 0x0023, DELAY_BEFORE_READY_CHECK),
            // Memblaze Pblaze4.
            known(0x1c5f, 0x0540, DELAY_BEFORE_READY_CHECK),
            // Samsung PM1725, PM1725a.
            known(0x144d, 0xa821, DELAY_BEFORE_READY_CHECK, NO_QUEUE_SIZE),
            known(0x144d, 0xa822, DELAY_BEFORE_READY_CHECK, NO_WRITE_ZEROES),
            // SK hynix PC400.
            known(0x1c5c, 0x1504, NO_WRITE_ZEROES),
            // SanDisk Skyhawk.
            known(0x15b7, 0x2001, NO_WRITE_ZEROES),
            // SPCC.
            known(0x1d97, 0x2263, NO_WRITE_ZEROES),
            // ADATA SX8200PNP.
            known(0x1cc1, 0x8201, NO_DEEPEST_POWER_STATE),
            // Kingston SKC2000, A2000.
            known(0x2646, 0x2262, NO_DEEPEST_POWER_STATE),
            known(0x2646, 0x2263, NO_DEEPEST_POWER_STATE),
            // VirtualBox.
            known(0x80ee, 0x4e56, DELAY_AFTER_QUEUE_CREATION),
            // Apple, in MacBooks of 2015 and 2016; with a T2.
            known(0x106b, 0x2001, SINGLE_VECTOR, ONE_COMMAND),
            known(0x106b, 0x2005, SINGLE_VECTOR, FOREIGN_QUEUES));

    private static Map.Entry<Integer, Set<Quirk>> known(int vendor, int device, Quirk first, Quirk... others) {
        return Map.entry(vendor << Short.SIZE | device, EnumSet.of(first, others));
    }

    /** What is known of a controller with these PCI ids. */
    static Set<Quirk> of(int vendor, int device) {
        return TABLE.getOrDefault(vendor << Short.SIZE | device, Set.of());
    }
}
