package dev.outboard.linux.uapi;

import static dev.outboard.linux.Ioctl.iow;
import static dev.outboard.linux.Struct.u32;
import static dev.outboard.linux.Struct.u64;

import dev.outboard.linux.Ioctl;
import dev.outboard.linux.Struct;

/** {@code <linux/udmabuf.h>} and {@code <linux/dma-buf.h>}: dma-bufs made of a memfd, and the CPU's access to dma-bufs. */
public final class Udmabuf {
    /** Argument of {@link #UDMABUF_CREATE}. */
    public static final Struct CREATE =
            Struct.of("udmabuf_create", u32("memfd"), u32("flags"), u64("offset"), u64("size"));
    /** The new descriptor does not outlive exec. */
    public static final int UDMABUF_FLAGS_CLOEXEC = 1;
    /** Returns a dma-buf made of a range of a sealed memfd. */
    public static final Ioctl UDMABUF_CREATE = iow("UDMABUF_CREATE", 'u', 0x42, CREATE);

    /** Argument of {@link #DMA_BUF_IOCTL_SYNC}. */
    public static final Struct SYNC = Struct.of("dma_buf_sync", u64("flags"));
    /** The CPU reads. */
    public static final int DMA_BUF_SYNC_READ = 1;
    /** The CPU writes. */
    public static final int DMA_BUF_SYNC_WRITE = 2;
    /** The CPU's access begins. */
    public static final int DMA_BUF_SYNC_START = 0;
    /** The CPU's access ends. */
    public static final int DMA_BUF_SYNC_END = 4;
    /** Brackets accesses of the CPU. */
    public static final Ioctl DMA_BUF_IOCTL_SYNC = iow("DMA_BUF_IOCTL_SYNC", 'b', 0, SYNC);

    private Udmabuf() {}
}
