package dev.outboard.emulation.recording;

import dev.outboard.emulation.interpose.DmaStore;
import dev.outboard.emulation.interpose.Region;
import java.util.HexFormat;

/** One thing that happened between a driver and its device. Its text is its part of a line of a recording. */
public sealed interface RecordedEvent {
    /**
     * The driver saw a region of registers for the first time.
     *
     * @param region which
     * @param sizeBytes its size
     */
    record Opened(Region region, long sizeBytes) implements RecordedEvent {
        @Override
        public String toString() {
            return "region " + region + " 0x" + Long.toHexString(sizeBytes);
        }
    }

    /**
     * The driver read a register, so many times with one result.
     *
     * @param region of which region
     * @param offset where
     * @param widthBytes 1, 2, 4 or 8
     * @param value what it saw
     * @param count how often in a row
     */
    record Read(Region region, long offset, int widthBytes, long value, long count) implements RecordedEvent {
        boolean isSamePlace(Region otherRegion, long otherOffset, int otherWidthBytes) {
            return region == otherRegion && offset == otherOffset && widthBytes == otherWidthBytes;
        }

        @Override
        public String toString() {
            return "read " + place(region, offset, widthBytes) + " 0x" + Long.toHexString(value)
                    + (count == 1 ? "" : " " + count);
        }
    }

    /**
     * The driver wrote a register.
     *
     * @param region of which region
     * @param offset where
     * @param widthBytes 1, 2, 4 or 8
     * @param value what
     */
    record Write(Region region, long offset, int widthBytes, long value) implements RecordedEvent {
        @Override
        public String toString() {
            return "write " + place(region, offset, widthBytes) + " 0x" + Long.toHexString(value);
        }
    }

    /**
     * The driver has new DMA memory, zeroed.
     *
     * @param deviceAddress where
     * @param sizeBytes how much
     */
    record Allocated(long deviceAddress, long sizeBytes) implements RecordedEvent {
        @Override
        public String toString() {
            return "memory 0x" + Long.toHexString(deviceAddress) + " 0x" + Long.toHexString(sizeBytes);
        }
    }

    /**
     * The driver stored something in DMA memory.
     *
     * @param store what
     */
    record ToDevice(DmaStore store) implements RecordedEvent {
        @Override
        public String toString() {
            return "to-device " + text(store);
        }
    }

    /**
     * The device stored something in DMA memory.
     *
     * @param store what
     */
    record ToDriver(DmaStore store) implements RecordedEvent {
        @Override
        public String toString() {
            return "to-driver " + text(store);
        }
    }

    /**
     * The driver enabled interrupts.
     *
     * @param vectors how many
     */
    record InterruptsEnabled(int vectors) implements RecordedEvent {
        @Override
        public String toString() {
            return "vectors " + vectors;
        }
    }

    /**
     * The driver saw interrupts.
     *
     * @param vector which
     * @param count how many
     */
    record Interrupts(int vector, long count) implements RecordedEvent {
        @Override
        public String toString() {
            return "interrupt " + vector + " " + count;
        }
    }

    /**
     * The driver switched DMA on or off.
     *
     * @param on which
     */
    record BusMaster(boolean on) implements RecordedEvent {
        @Override
        public String toString() {
            return "master " + (on ? "on" : "off");
        }
    }

    /** The driver reset the function. */
    record Reset() implements RecordedEvent {
        @Override
        public String toString() {
            return "reset";
        }
    }

    /** The function was found to be gone. */
    record Gone() implements RecordedEvent {
        @Override
        public String toString() {
            return "gone";
        }
    }

    /** The driver closed the function: nothing is missing. */
    record Closed() implements RecordedEvent {
        @Override
        public String toString() {
            return "end";
        }
    }

    /**
     * Whether it is the device that did this, not the driver.
     *
     * @return whether a driver finds it, rather than does it
     */
    default boolean isOfDevice() {
        return this instanceof ToDriver || this instanceof Interrupts || this instanceof Gone;
    }

    private static String place(Region region, long offset, int widthBytes) {
        return region + " 0x" + Long.toHexString(offset) + " " + widthBytes;
    }

    private static String text(DmaStore store) {
        return "0x" + Long.toHexString(store.deviceAddress()) + " "
                + HexFormat.of().formatHex(store.bytes());
    }
}
