package dev.outboard.rig;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** An archive in cpio's "newc" format, which the kernel unpacks as its first root: cpio(5), initramfs buffer format. */
final class CpioArchive {
    private static final int DIRECTORY = 0040755;
    private static final int EXECUTABLE = 0100755;
    private static final int CHARACTER_DEVICE = 0020600;
    private static final int ALIGNMENT = 4;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private int nextInode = 1;

    CpioArchive directory(String name) {
        return entry(name, DIRECTORY, 0, 0, new byte[0]);
    }

    CpioArchive file(String name, byte[] content) {
        return entry(name, EXECUTABLE, 0, 0, content);
    }

    CpioArchive characterDevice(String name, int major, int minor) {
        return entry(name, CHARACTER_DEVICE, major, minor, new byte[0]);
    }

    byte[] finish() {
        entry("TRAILER!!!", 0, 0, 0, new byte[0]);
        return bytes.toByteArray();
    }

    private CpioArchive entry(String name, int mode, int major, int minor, byte[] content) {
        byte[] nameBytes = (name + "\0").getBytes(StandardCharsets.UTF_8);
        // inode, mode, uid, gid, links, mtime, size, device major and minor, rdev major and minor, name size, check
        int[] fields = {nextInode++, mode, 0, 0, 1, 0, content.length, 0, 0, major, minor, nameBytes.length, 0};
        StringBuilder header = new StringBuilder("070701");
        for (int field : fields) {
            header.append("%08X".formatted(field));
        }
        bytes.writeBytes(header.toString().getBytes(StandardCharsets.US_ASCII));
        bytes.writeBytes(nameBytes);
        pad();
        bytes.writeBytes(content);
        pad();
        return this;
    }

    private void pad() {
        while (bytes.size() % ALIGNMENT != 0) {
            bytes.write(0);
        }
    }
}
