package dev.outboard.memory;

import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Mman;
import dev.outboard.linux.StructView;
import dev.outboard.linux.uapi.Udmabuf;
import java.lang.foreign.Arena;

/**
 * Memory with a dma-buf descriptor, by which other parts of the kernel use it too: a camera, a display, a GPU, a virtual
 * machine. It is made of a memfd by {@code /dev/udmabuf}; a device of ours reaches the same memory by
 * {@link DmaAllocator#map(DmaBuf)}. Linux kernel documentation, driver-api/dma-buf.rst, {@code <linux/udmabuf.h>}.
 *
 * <pre>{@code
 * try (var buffer = DmaBuf.create(2 << 20);
 *         var memory = function.dma().map(buffer)) {
 *     // … hand buffer.descriptor() to V4L2, DRM or over a Unix socket …
 *     memory.syncForCpu(DmaDirection.FROM_DEVICE);
 * }
 * }</pre>
 *
 * <p>Methods may be called from any thread.
 */
public final class DmaBuf implements AutoCloseable {
    private static final String NODE = "/dev/udmabuf";

    private final Fd memory;
    private final Fd descriptor;
    private final long sizeBytes;

    private DmaBuf(Fd memory, Fd descriptor, long sizeBytes) throws LinuxException {
        this.memory = memory;
        this.descriptor = descriptor;
        this.sizeBytes = sizeBytes;
        try {
            // It is the CPU's at first; the kernel refuses to end an access that never began.
            sync(false, 0, sizeBytes, DmaDirection.BIDIRECTIONAL);
        } catch (LinuxException e) {
            descriptor.close();
            throw e;
        }
    }

    /**
     * Makes a dma-buf of ordinary pages, zeroed.
     *
     * @param sizeBytes its size, a multiple of the page size, more than 0
     * @return the dma-buf
     * @throws LinuxException ENOENT without CONFIG_UDMABUF, EACCES without the right to use it, EINVAL if it is more than
     *     the kernel allows; the message says what to do
     */
    public static DmaBuf create(long sizeBytes) throws LinuxException {
        return create(sizeBytes, 0);
    }

    /**
     * Makes a dma-buf, zeroed.
     *
     * @param sizeBytes its size, a multiple of the size of its pages, more than 0
     * @param hugePageBytes the size of huge pages, which {@code /proc/sys/vm/nr_hugepages} sets aside; 0 for ordinary
     *     pages
     * @return the dma-buf
     * @throws LinuxException as for ordinary pages; Linux before 6.12 takes no huge ones
     */
    public static DmaBuf create(long sizeBytes, long hugePageBytes) throws LinuxException {
        if (hugePageBytes != 0) {
            Mman.hugePageFlag(hugePageBytes);
        }
        long page = hugePageBytes == 0 ? Mman.pageBytes() : hugePageBytes;
        if (sizeBytes < 1 || sizeBytes % page != 0) {
            throw new IllegalArgumentException(
                    "a dma-buf of " + sizeBytes + " bytes; give a multiple of its page size, " + page);
        }
        try (Fd udmabuf = open();
                Arena arena = Arena.ofConfined()) {
            Fd memory = Fd.sealedMemfd("outboard-dma-buf", sizeBytes, hugePageBytes);
            try {
                StructView create = Udmabuf.CREATE
                        .allocate(arena)
                        .set("memfd", memory.number())
                        .set("flags", Udmabuf.UDMABUF_FLAGS_CLOEXEC)
                        .set("size", sizeBytes);
                int number = udmabuf.ioctl(Udmabuf.UDMABUF_CREATE, create.segment());
                return new DmaBuf(memory, Fd.of(number, "dma-buf of " + sizeBytes + " bytes"), sizeBytes);
            } catch (LinuxException e) {
                memory.close();
                throw e.errno() == Errno.EINVAL
                        ? e.withAdvice("perhaps " + sizeBytes + " bytes are more than"
                                + " /sys/module/udmabuf/parameters/size_limit_mb allows")
                        : e;
            }
        }
    }

    private static Fd open() throws LinuxException {
        try {
            return Fd.open(NODE, Fd.O_RDWR);
        } catch (LinuxException e) {
            throw switch (e.errno()) {
                case Errno.ENOENT, Errno.ENODEV ->
                    e.withAdvice("this kernel has no CONFIG_UDMABUF, or needs sudo modprobe udmabuf");
                case Errno.EACCES, Errno.EPERM ->
                    e.withAdvice("let your user have it: sudo chown $USER " + NODE + ", or join the group kvm");
                default -> e;
            };
        }
    }

    /**
     * The dma-buf, to hand to others or to map.
     *
     * @return its descriptor, which this object closes
     */
    public Fd descriptor() {
        return descriptor;
    }

    /**
     * Its size.
     *
     * @return bytes
     */
    public long sizeBytes() {
        return sizeBytes;
    }

    /** The memfd that it is made of. VFIO maps that, but not the dma-buf. */
    Fd memory() {
        return memory;
    }

    /** The {@link DmaMemory.Cache} of its memory: ranges are all the same to the kernel. */
    void sync(boolean toDevice, long offset, long length, DmaDirection direction) throws LinuxException {
        long access = switch (direction) {
            case TO_DEVICE -> Udmabuf.DMA_BUF_SYNC_WRITE;
            case FROM_DEVICE -> Udmabuf.DMA_BUF_SYNC_READ;
            case BIDIRECTIONAL -> Udmabuf.DMA_BUF_SYNC_READ | Udmabuf.DMA_BUF_SYNC_WRITE;
        };
        try (Arena arena = Arena.ofConfined()) {
            StructView sync = Udmabuf.SYNC
                    .allocate(arena)
                    .set("flags", access | (toDevice ? Udmabuf.DMA_BUF_SYNC_END : Udmabuf.DMA_BUF_SYNC_START));
            descriptor.ioctl(Udmabuf.DMA_BUF_IOCTL_SYNC, sync.segment());
        }
    }

    /** Closes the descriptors. Memory that is mapped stays until it is unmapped. Closing twice is harmless. */
    @Override
    public void close() {
        descriptor.close();
        memory.close();
    }

    @Override
    public String toString() {
        return descriptor.name();
    }
}
