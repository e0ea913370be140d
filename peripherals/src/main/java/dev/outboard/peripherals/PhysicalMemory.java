package dev.outboard.peripherals;

import dev.outboard.driver.DeviceBusyException;
import dev.outboard.driver.DeviceException;
import dev.outboard.linux.DevicePages;
import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Mman;
import dev.outboard.memory.Claim;
import dev.outboard.memory.ClaimTarget;
import dev.outboard.memory.ClaimedException;
import dev.outboard.memory.Claims;
import dev.outboard.memory.Registers;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A range of physical addresses that is no RAM: device registers, or memory that the kernel was told to leave alone.
 * {@code mem(4)}. Needs root.
 *
 * <p>The range is claimed until it is closed, so that nobody has a PCI function whose BAR lies there. It is mapped uncached.
 * Safe for use by several threads; the mapping dies with this object.
 */
public final class PhysicalMemory implements AutoCloseable {
    private static final String FILE = "/dev/mem";

    private final long address;
    private final boolean writable;
    private final Fd file;
    private final DevicePages pages;
    private final Registers registers;
    private final Claim claim;
    private final Arena arena = Arena.ofShared();
    private @Nullable MemorySegment segment;
    private volatile boolean sawAllOnes;

    /** Takes the file and the claim over, unless this fails. */
    private PhysicalMemory(long address, long lengthBytes, boolean writable, Fd file, Claim claim)
            throws LinuxException {
        this.address = address;
        this.writable = writable;
        this.file = file;
        this.claim = claim;
        // Pages are mapped, wherever in them the range begins and ends.
        long inPage = address % Mman.pageBytes();
        pages = DevicePages.map(file, address - inPage, inPage + lengthBytes, writable);
        registers = Registers.mapped(name(address, lengthBytes), pages, inPage, lengthBytes, this::lookAtAllOnes);
    }

    private void lookAtAllOnes() {
        if (!arena.scope().isAlive()) {
            throw new IllegalStateException(registers + " is closed");
        }
        sawAllOnes = true;
    }

    /**
     * Maps a range for reading and writing.
     *
     * @param address the first physical address, of any alignment
     * @param lengthBytes how many bytes, at least 1
     * @return the memory
     * @throws DeviceBusyException if somebody has claimed it, or a device of it
     * @throws IOException if it is RAM, or this user or this kernel does not allow it; the message says what to do
     * @throws IllegalArgumentException if there is no such range
     */
    public static PhysicalMemory open(long address, long lengthBytes) throws IOException {
        return open(address, lengthBytes, true);
    }

    /**
     * Maps a range for reading.
     *
     * @param address the first physical address, of any alignment
     * @param lengthBytes how many bytes, at least 1
     * @return the memory; writing to its registers throws {@link UnsupportedOperationException}
     * @throws DeviceBusyException if somebody has claimed it, or a device of it
     * @throws IOException if it is RAM, or this user or this kernel does not allow it; the message says what to do
     * @throws IllegalArgumentException if there is no such range
     */
    public static PhysicalMemory openReadOnly(long address, long lengthBytes) throws IOException {
        return open(address, lengthBytes, false);
    }

    private static PhysicalMemory open(long address, long lengthBytes, boolean writable) throws IOException {
        if (address < 0 || lengthBytes <= 0 || address > Long.MAX_VALUE - lengthBytes - Mman.pageBytes()) {
            throw new IllegalArgumentException("no range of physical addresses: " + lengthBytes + " bytes from 0x"
                    + Long.toHexString(address) + "; the length is at least 1, the end below 2^63");
        }
        Fd file = openFile(writable);
        try {
            IoResources resources = IoResources.memory();
            refuseRam(resources, address, lengthBytes);
            Claim claim = claim(address, lengthBytes);
            try {
                return new PhysicalMemory(address, lengthBytes, writable, file, claim);
            } catch (LinuxException e) {
                claim.close();
                throw explained(e, name(address, lengthBytes), resources.user(address, lengthBytes));
            }
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private static Fd openFile(boolean writable) throws LinuxException {
        try {
            // O_SYNC: uncached, mem(4).
            return Fd.open(FILE, (writable ? Fd.O_RDWR : Fd.O_RDONLY) | Fd.O_SYNC);
        } catch (LinuxException e) {
            throw switch (e.errno()) {
                case Errno.EACCES -> e.withAdvice("only root reaches physical memory: use sudo");
                case Errno.EPERM ->
                    e.withAdvice(
                            "it takes root with CAP_SYS_RAWIO, which containers lack, and a kernel that is not locked down"
                                    + " (Secure Boot; see /sys/kernel/security/lockdown)");
                case Errno.ENOENT, Errno.ENXIO ->
                    e.withAdvice("this kernel has no access to physical memory (CONFIG_DEVMEM); PCI functions can be"
                            + " reached as vfio:ADDRESS or sysfs:ADDRESS");
                default -> e;
            };
        }
    }

    private static void refuseRam(IoResources resources, long address, long lengthBytes) throws DeviceException {
        if (!resources.isKnown()) {
            throw new DeviceException(resources.file() + " shows this process no addresses, so that RAM cannot be told"
                    + " from devices; that takes CAP_SYS_ADMIN: use sudo");
        }
        Optional<IoResource> ram = resources.overlapping(address, lengthBytes).stream()
                .filter(IoResource::isRam)
                .findFirst();
        if (ram.isPresent()) {
            throw new DeviceException(name(address, lengthBytes) + " is RAM: " + ram.get() + " in " + resources.file()
                    + " belongs to the kernel and to processes, and changes as they run; devices are elsewhere");
        }
    }

    private static Claim claim(long address, long lengthBytes) throws IOException {
        try {
            return Claims.system().claim(ClaimTarget.range(ClaimTarget.MEMORY, address, lengthBytes));
        } catch (ClaimedException e) {
            throw new DeviceBusyException(e);
        }
    }

    private static String name(long address, long lengthBytes) {
        return "physical memory 0x%x-0x%x".formatted(address, address + lengthBytes - 1);
    }

    private static LinuxException explained(LinuxException e, String name, Optional<IoResource> user) {
        LinuxException named = new LinuxException(e.call(), name, e.errno());
        named.initCause(e);
        return switch (e.errno()) {
            case Errno.EPERM ->
                named.withAdvice(
                        user.isPresent()
                                ? "the kernel keeps what its drivers use to itself, here " + user.get()
                                        + " (CONFIG_IO_STRICT_DEVMEM); take it from the driver, or boot with the kernel"
                                        + " option iomem=relaxed"
                                : "the kernel keeps this range to itself (CONFIG_STRICT_DEVMEM)");
            case Errno.EINVAL -> named.withAdvice("the processor has no such address");
            default -> named;
        };
    }

    /**
     * The first address.
     *
     * @return the physical address of offset 0 of {@link #registers}
     */
    public long address() {
        return address;
    }

    /**
     * The range as device registers, which is the way to touch a device.
     *
     * @return the registers, mapped
     */
    public Registers registers() {
        return registers;
    }

    /**
     * The range as memory, for what is no device: tables of the firmware, RAM that the kernel was told to leave alone.
     *
     * @return the segment; read-only if it was opened so
     * @throws LinuxException if it cannot be mapped a second time
     */
    public synchronized MemorySegment segment() throws LinuxException {
        MemorySegment known = segment;
        if (known == null) {
            long inPage = address % Mman.pageBytes();
            long length = registers.sizeBytes();
            int protection = writable ? Mman.PROT_READ | Mman.PROT_WRITE : Mman.PROT_READ;
            known = file.mmap(address - inPage, inPage + length, protection, Mman.MAP_SHARED, arena)
                    .asSlice(inPage, length);
            segment = known;
        }
        return known;
    }

    /**
     * Whether a register read returned all ones, as it does where no device answers.
     *
     * @return whether one did so far
     */
    public boolean sawAllOnes() {
        return sawAllOnes;
    }

    /** Unmaps the range, and gives it up. Closing twice is harmless. */
    @Override
    public synchronized void close() {
        if (arena.scope().isAlive()) {
            arena.close();
            pages.close();
            file.close();
            claim.close();
        }
    }

    @Override
    public String toString() {
        return registers.toString();
    }
}
