package dev.outboard.pci.qemu;

import dev.outboard.driver.ByteSize;
import dev.outboard.driver.DeviceException;
import dev.outboard.linux.Fd;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a device stores on.
 *
 * @param file the file that it is in; null for memory
 * @param size its least size; null for the file's own
 */
record QemuDrive(@Nullable String file, @Nullable ByteSize size) {
    private static final ByteSize USUAL_SIZE = new ByteSize(1L << 30);
    private static final int OWNER_ONLY = 0600;

    /** Drives that are open until QEMU has opened them too. */
    record Opened(List<Fd> files) implements AutoCloseable {
        /** Where QEMU finds them. */
        List<String> paths() throws IOException {
            List<String> paths = new ArrayList<>();
            for (Fd file : files) {
                paths.add(QemuProcess.path(file));
            }
            return paths;
        }

        @Override
        public void close() {
            files.forEach(Fd::close);
        }
    }

    /** Takes the options of a drive out of those of what stores on it. */
    static QemuDrive takeFrom(Map<String, String> options) {
        String file = options.remove("file");
        String size = options.remove("size");
        return new QemuDrive(file, size == null ? null : ByteSize.parse(size));
    }

    static Opened open(List<QemuDrive> drives) throws IOException {
        Opened opened = new Opened(new ArrayList<>());
        try {
            for (QemuDrive drive : drives) {
                opened.files().add(drive.open());
            }
            return opened;
        } catch (IOException e) {
            opened.close();
            throw e;
        }
    }

    private Fd open() throws IOException {
        if (file == null) {
            return Fd.memfd("outboard-drive", (size == null ? USUAL_SIZE : size).bytes());
        }
        Fd opened = Fd.open(file, Fd.O_RDWR | Fd.O_CREAT, OWNER_ONLY);
        try {
            long now = opened.regularFileBytes();
            if (now < 0) {
                throw new DeviceException(file + " is no regular file; a drive of QEMU's needs one");
            }
            long wanted = size != null ? size.bytes() : now == 0 ? USUAL_SIZE.bytes() : now;
            if (now < wanted) {
                opened.truncate(wanted);
            }
            return opened;
        } catch (IOException e) {
            opened.close();
            throw e;
        }
    }
}
