package dev.outboard.emulation.virtio;

import dev.outboard.memory.Register;

/** The configuration space of a virtio device, as the device fills it. Reads beyond its end give zeroes. */
final class ConfigurationBytes {
    private final byte[] bytes;

    ConfigurationBytes(int sizeBytes) {
        bytes = new byte[sizeBytes];
    }

    int sizeBytes() {
        return bytes.length;
    }

    void put(Register register, long value) {
        for (int i = 0; i < register.widthBytes(); i++) {
            bytes[(int) register.offset() + i] = (byte) (value >>> (i * Byte.SIZE));
        }
    }

    long read(long offset, int widthBytes) {
        long value = 0;
        for (int i = 0; i < widthBytes && offset + i < bytes.length; i++) {
            value |= Byte.toUnsignedLong(bytes[(int) offset + i]) << (i * Byte.SIZE);
        }
        return value;
    }
}
