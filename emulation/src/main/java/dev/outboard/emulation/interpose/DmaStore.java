package dev.outboard.emulation.interpose;

import java.util.Arrays;

/** Bytes that one side stored in DMA memory, and that the other is about to see. */
public final class DmaStore {
    /** The unit in which stores are told from what was there before. */
    public static final int WORD_BYTES = Integer.BYTES;

    private final long deviceAddress;
    private final byte[] bytes;

    /**
     * A store.
     *
     * @param deviceAddress where, as the device addresses it; a multiple of 4
     * @param bytes what; a multiple of 4 long; belongs to the store from now on
     */
    public DmaStore(long deviceAddress, byte[] bytes) {
        this.deviceAddress = deviceAddress;
        this.bytes = bytes;
    }

    /**
     * Where.
     *
     * @return the address that the device has for it
     */
    public long deviceAddress() {
        return deviceAddress;
    }

    /**
     * What.
     *
     * @return the bytes themselves, to be looked at only
     */
    public byte[] bytes() {
        return bytes;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof DmaStore store
                && store.deviceAddress == deviceAddress
                && Arrays.equals(store.bytes, bytes);
    }

    @Override
    public int hashCode() {
        return Long.hashCode(deviceAddress) + Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
        return bytes.length + " bytes at 0x" + Long.toHexString(deviceAddress);
    }
}
