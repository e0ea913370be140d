package dev.outboard.pci.sysfs;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.linux.DevicePages;
import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Mman;
import dev.outboard.memory.RegisterAccess;
import dev.outboard.memory.RegisterFile;
import dev.outboard.memory.Registers;
import dev.outboard.pci.PciBar;
import dev.outboard.pci.PciBus;
import dev.outboard.pci.PciDevice;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The files of a function: its configuration space, its BARs, and the switches that enable and reset it. */
final class SysfsDevice implements AutoCloseable {
    private static final short NOTHING_THERE = -1;
    private static final long LOOK_NANOS = 10_000_000;

    private final String name;
    private final PciDevice device;
    private final Path directory;
    private final boolean writable;
    private final Fd configurationFile;
    private final RegisterFile configuration;
    private final List<Fd> resources = new ArrayList<>();
    private boolean enabled;
    private volatile long looked = System.nanoTime() - LOOK_NANOS;
    private volatile @Nullable String gone;

    /**
     * Opens the files; touches no register.
     *
     * @param name the function's address, for messages
     * @param bus where it is
     * @param device the function
     * @param writable whether registers shall be written too
     */
    SysfsDevice(String name, PciBus bus, PciDevice device, boolean writable) throws IOException {
        this.name = name;
        this.device = device;
        this.writable = writable;
        directory = bus.directory(device.address());
        configurationFile = open("config");
        configuration = new RegisterFile(configurationFile);
    }

    private Fd open(String file) throws LinuxException {
        try {
            return Fd.open(directory.resolve(file).toString(), writable ? Fd.O_RDWR : Fd.O_RDONLY);
        } catch (LinuxException e) {
            throw switch (e.errno()) {
                case Errno.EACCES ->
                    e.withAdvice("only root reaches a device by sysfs: use sudo, or VFIO: outboard bind "
                            + device.address() + " vfio");
                case Errno.EPERM -> lockedDown(e);
                case Errno.ENOENT ->
                    e.withAdvice("the kernel has no such file of the device: it was removed, or this kernel maps no"
                            + " PCI resources (CONFIG_SYSFS, HAVE_PCI_MMAP); outboard devices shows what is there");
                default -> e;
            };
        }
    }

    private LinuxException lockedDown(LinuxException e) {
        return e.withAdvice("the kernel is locked down (see /sys/kernel/security/lockdown): switch Secure Boot off, or"
                + " use VFIO: outboard bind " + device.address() + " vfio");
    }

    Path directory() {
        return directory;
    }

    boolean isWritable() {
        return writable;
    }

    /** Whether no kernel driver had it when it was opened. */
    boolean isFree() {
        return device.driver() == null;
    }

    /**
     * Configuration space, of the size that the kernel shows.
     *
     * @param allOnes what to do after a read of all ones
     */
    Registers configuration(Runnable allOnes) throws IOException {
        return Registers.unmapped(
                "configuration space of " + name,
                Files.size(directory.resolve("config")),
                new Access(configuration),
                List.of(),
                allOnes);
    }

    /**
     * The registers behind a BAR.
     *
     * @param keep takes what is mapped
     * @param allOnes what to do after a read of all ones
     */
    Registers bar(int index, Consumer<DevicePages> keep, Runnable allOnes) throws IOException {
        PciBar bar = device.bars().stream()
                .filter(each -> each.index() == index && each.sizeBytes() > 0)
                .findFirst()
                .orElseThrow(() -> new DeviceException(name + " has no BAR " + index));
        Fd file = open("resource" + index);
        try {
            Registers registers = registers("BAR " + index + " of " + name, bar, file, keep, allOnes);
            resources.add(file);
            return registers;
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private Registers registers(String barName, PciBar bar, Fd file, Consumer<DevicePages> keep, Runnable allOnes)
            throws IOException {
        if (bar.io()) {
            RegisterAccess access = new Access(new RegisterFile(file));
            return Registers.unmapped(barName, bar.sizeBytes(), access, List.of(), allOnes);
        }
        // What is mapped are the pages that the BAR is in.
        long inPage = bar.address() % Mman.pageBytes();
        try {
            DevicePages pages = DevicePages.map(file, 0, inPage + bar.sizeBytes(), writable);
            keep.accept(pages);
            return Registers.mapped(barName, pages, inPage, bar.sizeBytes(), allOnes);
        } catch (LinuxException e) {
            throw switch (e.errno()) {
                case Errno.EINVAL ->
                    e.withAdvice("the kernel gives registers that " + (isFree() ? "VFIO or a driver" : device.driver())
                            + " has to nobody else (CONFIG_IO_STRICT_DEVMEM); take them from it, or boot with the"
                            + " kernel option iomem=relaxed to look nevertheless");
                case Errno.EPERM -> lockedDown(e);
                default -> e;
            };
        }
    }

    /** Makes the function answer accesses to its BARs; does nothing the second time. */
    void enable() throws IOException {
        if (!enabled) {
            SysfsFile.write(directory.resolve("enable"), "1");
            enabled = true;
        }
    }

    /** Undoes {@link #enable}. */
    private void disable() {
        if (enabled) {
            enabled = false;
            try {
                SysfsFile.write(directory.resolve("enable"), "0");
            } catch (LinuxException removed) {
                // The kernel counts who wants it enabled; of a function that is gone nobody does.
            }
        }
    }

    void reset() throws IOException {
        Path file = directory.resolve("reset");
        if (!Files.exists(file)) {
            throw new DeviceException(name + ": there is no way to reset this device alone");
        }
        SysfsFile.write(file, "1");
    }

    /** Called after a read that returned all ones. */
    void sawAllOnes() {
        if (gone == null) {
            look();
        }
    }

    private void look() {
        looked = System.nanoTime();
        try {
            if ((short) configuration.read(PciConfiguration.VENDOR_ID.offset(), Short.BYTES) == NOTHING_THERE) {
                gone = name + " does not answer any more: it was removed, or has lost its power";
            }
        } catch (LinuxException e) {
            // Any other error says nothing about the device, and the next access meets it too.
            if (isGone(e)) {
                gone = name + " was removed (" + e.getMessage() + ")";
            }
        }
    }

    private static boolean isGone(LinuxException e) {
        return e.errno() == Errno.ENODEV || e.errno() == Errno.ENXIO;
    }

    /** Nobody tells that a device went, so it is asked, but not at every call. */
    void checkPresent() throws DeviceGoneException {
        if (gone == null && System.nanoTime() - looked >= LOOK_NANOS) {
            look();
        }
        String reason = gone;
        if (reason != null) {
            throw new DeviceGoneException(reason, null);
        }
    }

    @Override
    public void close() {
        disable();
        resources.forEach(Fd::close);
        configurationFile.close();
    }

    /** Configuration space or I/O ports: a system call for each access. */
    private final class Access implements RegisterAccess {
        private final RegisterFile file;

        Access(RegisterFile file) {
            this.file = file;
        }

        @Override
        public long read(long offset, int widthBytes) {
            checkWidth(widthBytes);
            if (gone != null) {
                return -1;
            }
            try {
                return file.read(offset, widthBytes);
            } catch (LinuxException e) {
                failed(e);
                return -1;
            }
        }

        @Override
        public void write(long offset, int widthBytes, long value) {
            checkWidth(widthBytes);
            if (!writable) {
                throw new IllegalStateException(name + " was opened to look: its registers are not written");
            }
            if (gone == null) {
                try {
                    file.write(offset, widthBytes, value);
                } catch (LinuxException e) {
                    failed(e);
                }
            }
        }

        /** The kernel makes two accesses of one of 64 bits, or none. */
        private void checkWidth(int widthBytes) {
            if (widthBytes == Long.BYTES) {
                throw new IllegalArgumentException(
                        name + ": configuration space and I/O ports are accessed in 8, 16 or 32 bits");
            }
        }

        /** A device that is gone is not an error here, anything else is. */
        private void failed(LinuxException e) {
            if (!isGone(e)) {
                throw new UncheckedIOException(explained(e));
            }
            gone = name + " was removed (" + e.getMessage() + ")";
        }

        private IOException explained(LinuxException e) {
            return switch (e.errno()) {
                case Errno.EIO ->
                    new DeviceException(
                            name + ": configuration space beyond its first 64 bytes is shown to root alone; use sudo",
                            e);
                case Errno.EPERM -> lockedDown(e);
                default -> e;
            };
        }
    }
}
