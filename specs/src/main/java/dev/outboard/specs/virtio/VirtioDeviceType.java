package dev.outboard.specs.virtio;

/** What kinds of devices there are. VIRTIO 1.2, 5. */
public final class VirtioDeviceType {
    /** A network card. */
    public static final int NETWORK = 1;
    /** A disk. */
    public static final int BLOCK = 2;

    private VirtioDeviceType() {}
}
