package dev.outboard.specs.nvme;

import dev.outboard.memory.Field;

/** Firmware download and commit. NVMe base specification 2.0, 5.11 and 5.12. */
public final class Firmware {
    /** CDW10 of commit: the slot; 0 lets the controller choose. */
    public static final Field SLOT = Field.bits("FS", 2, 0);
    /** CDW10 of commit: the action. */
    public static final Field ACTION = Field.bits("CA", 5, 3);
    /** Action: store the image. */
    public static final int REPLACE = 0;
    /** Action: store the image, run it from the next reset. */
    public static final int REPLACE_AND_ACTIVATE = 1;
    /** Action: run what the slot holds from the next reset. */
    public static final int ACTIVATE = 2;
    /** Action: run at once, an image that was downloaded or what the slot holds. */
    public static final int ACTIVATE_NOW = 3;
    /** FRMW: the first slot is read only. */
    public static final int FIRST_SLOT_READ_ONLY = 0x01;
    /** FRMW: the number of slots. */
    public static final Field SLOTS = Field.bits("SLOTS", 3, 1);
    /** FRMW: activation needs no reset. */
    public static final int ACTIVATION_WITHOUT_RESET = 0x10;
    /** AFI: the slot that runs. */
    public static final Field ACTIVE_SLOT = Field.bits("ACTIVE", 2, 0);
    /** AFI: the slot that runs from the next reset; 0 if that is the same. */
    public static final Field NEXT_SLOT = Field.bits("NEXT", 6, 4);

    private Firmware() {}
}
