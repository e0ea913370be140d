package dev.outboard.memory;

import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import org.jspecify.annotations.Nullable;

/** Where a file ends, if it does: regular files and block devices do, character devices do not. */
record FileEnd(String name, long bytes) {
    private static final long NONE = -1;

    static FileEnd of(@Nullable Fd file) throws LinuxException {
        if (file == null) {
            return new FileEnd("", NONE);
        }
        return new FileEnd(file.name(), file.endBytes());
    }

    /** Whether the end is known now, and again when somebody asks later. */
    boolean isKnown() {
        return bytes != NONE;
    }

    /** The length of a range; 0 stands for all up to the end. */
    long lengthWithin(long offset, long length) {
        if (!isKnown()) {
            if (length == 0) {
                throw new IllegalArgumentException(name + " does not say where it ends; give a length");
            }
            if (offset + length < 0) {
                throw new IllegalArgumentException(
                        length + " bytes at " + offset + " are past the highest offset there is");
            }
            return length;
        }
        if (bytes == 0) {
            throw new IllegalArgumentException(
                    name + " is empty; an empty file cannot be mapped, make it longer first");
        }
        if (offset >= bytes) {
            throw new IllegalArgumentException(
                    "offset " + offset + " is past the end of " + name + ", which has " + bytes + " bytes");
        }
        if (length > bytes - offset) {
            throw new IllegalArgumentException(length + " bytes at " + offset + " are past the end of " + name
                    + ", which has " + bytes + " bytes; give length 0 for all up to the end, or make it longer first");
        }
        return length == 0 ? bytes - offset : length;
    }
}
