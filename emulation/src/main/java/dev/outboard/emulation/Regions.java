package dev.outboard.emulation;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.outboard.emulation.interpose.Region;
import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.StructView;
import dev.outboard.linux.uapi.Vfio;
import dev.outboard.memory.RegisterAccess;
import dev.outboard.specs.pci.PciConfiguration;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The regions of a model under their VFIO indexes: what they are, and accesses to them by message. */
final class Regions {
    private static final int SPARSE_MMAP_VERSION = 1;
    private static final int WIDEST_ACCESS = Long.BYTES;

    private final PciModel model;
    private final RegisterAccess configuration = new Configuration();

    Regions(PciModel model) {
        this.model = model;
    }

    /** How large a region is; 0 if there is none. */
    long sizeBytes(int index) {
        if (index == Vfio.VFIO_PCI_CONFIG_REGION_INDEX) {
            return PciConfiguration.EXPRESS_SIZE_BYTES;
        }
        Bar bar = model.bar(index);
        return bar == null ? 0 : bar.sizeBytes();
    }

    /** Writes a {@code vfio_region_info} with its capabilities, as far as they fit; returns the payload's size. */
    long describe(int index, long roomBytes, MemorySegment reply, boolean takesDescriptors, List<Fd> attached)
            throws ErrorReply {
        if (index < 0 || index >= Vfio.VFIO_PCI_NUM_REGIONS) {
            throw new ErrorReply(Errno.EINVAL);
        }
        long size = sizeBytes(index);
        int flags = size == 0 ? 0 : Vfio.VFIO_REGION_INFO_FLAG_READ | Vfio.VFIO_REGION_INFO_FLAG_WRITE;
        StructView info = Vfio.REGION_INFO
                .view(reply)
                .set("flags", flags)
                .set("index", index)
                .set("cap_offset", 0)
                .set("size", size)
                .set("offset", 0);
        Bar bar = model.bar(index);
        if (bar == null || bar.shared() == null || !takesDescriptors || model.interposition() != null) {
            info.set("argsz", Vfio.REGION_INFO.byteSize());
            return Vfio.REGION_INFO.byteSize();
        }
        return describeShared(info, flags, bar.shared(), roomBytes, attached);
    }

    private static long describeShared(
            StructView info, int flags, Bar.SharedAreas shared, long roomBytes, List<Fd> attached) {
        long head = Vfio.REGION_INFO.byteSize();
        long areas = head + Vfio.REGION_INFO_CAP_SPARSE_MMAP.byteSize();
        long needed = areas + shared.areas().size() * Vfio.REGION_SPARSE_MMAP_AREA.byteSize();
        info.set("argsz", needed).set("flags", flags | Vfio.VFIO_REGION_INFO_FLAG_MMAP);
        if (roomBytes < needed) {
            // The client learns from argsz how much room to offer next time; the descriptor comes then. The kernel
            // would say already that there are capabilities, but QEMU looks for them in this reply if it is told so.
            return head;
        }
        info.set("flags", info.get("flags") | Vfio.VFIO_REGION_INFO_FLAG_CAPS).set("cap_offset", head);
        Vfio.REGION_INFO_CAP_SPARSE_MMAP
                .view(info.segment().asSlice(head))
                .set("header.id", Vfio.VFIO_REGION_INFO_CAP_SPARSE_MMAP)
                .set("header.version", SPARSE_MMAP_VERSION)
                .set("header.next", 0)
                .set("nr_areas", shared.areas().size())
                .set("reserved", 0);
        long at = areas;
        for (Bar.Area area : shared.areas()) {
            Vfio.REGION_SPARSE_MMAP_AREA
                    .view(info.segment().asSlice(at))
                    .set("offset", area.offset())
                    .set("size", area.sizeBytes());
            at += Vfio.REGION_SPARSE_MMAP_AREA.byteSize();
        }
        attached.add(shared.file());
        return needed;
    }

    /** What an eventfd may stand for in a region, or null; of a model with an interposer nothing, which is to see it all. */
    PciModel.@Nullable IoEvents ioEvents(int index) {
        PciModel.IoEvents events = model.interposition() == null ? model.ioEvents() : null;
        return events != null && events.bar() == index ? events : null;
    }

    void check(int index, long offset, long count, long limit) throws ErrorReply {
        if (index < 0 || index >= Vfio.VFIO_PCI_NUM_REGIONS || count < 0 || count > limit) {
            throw new ErrorReply(Errno.EINVAL);
        }
        long size = sizeBytes(index);
        if (offset < 0 || count > size || offset > size - count) {
            throw new ErrorReply(Errno.EINVAL);
        }
    }

    /** Reads a checked range, in accesses as wide as alignment allows. */
    void read(int index, long offset, MemorySegment target) throws ErrorReply {
        long at = 0;
        while (at < target.byteSize()) {
            int width = width(offset + at, target.byteSize() - at);
            put(target, at, width, read(index, offset + at, width));
            at += width;
        }
    }

    /** Writes a checked range, in accesses as wide as alignment allows. */
    void write(int index, long offset, MemorySegment source) throws ErrorReply {
        long at = 0;
        while (at < source.byteSize()) {
            int width = width(offset + at, source.byteSize() - at);
            write(index, offset + at, width, get(source, at, width));
            at += width;
        }
    }

    private static int width(long offset, long remaining) {
        long aligned = Long.lowestOneBit(offset | WIDEST_ACCESS);
        return (int) Math.min(aligned, Long.highestOneBit(remaining));
    }

    private long read(int index, long offset, int width) throws ErrorReply {
        RegisterAccess registers = registers(index);
        Interposition between = model.interposition();
        return between == null
                ? registers.read(offset, width)
                : between.read(region(index), sizeBytes(index), offset, width, registers);
    }

    private void write(int index, long offset, int width, long value) throws ErrorReply {
        RegisterAccess registers = registers(index);
        Interposition between = model.interposition();
        if (between == null) {
            registers.write(offset, width, value);
        } else {
            between.write(region(index), sizeBytes(index), offset, width, value, registers);
        }
    }

    private RegisterAccess registers(int index) {
        if (index == Vfio.VFIO_PCI_CONFIG_REGION_INDEX) {
            return configuration;
        }
        // Accesses to a region that is not there were refused before: it has no bytes.
        return Objects.requireNonNull(model.bar(index)).access();
    }

    private static Region region(int index) {
        return index == Vfio.VFIO_PCI_CONFIG_REGION_INDEX ? Region.CONFIG : Region.bar(index);
    }

    /** Configuration space, which acts on the whole function. */
    private final class Configuration implements RegisterAccess {
        @Override
        public long read(long offset, int widthBytes) {
            return model.configuration().read(offset, widthBytes);
        }

        @Override
        public void write(long offset, int widthBytes, long value) {
            model.writeConfiguration(offset, widthBytes, value);
        }
    }

    private static void put(MemorySegment target, long at, int width, long value) {
        switch (width) {
            case Byte.BYTES -> target.set(JAVA_BYTE, at, (byte) value);
            case Short.BYTES -> target.set(JAVA_SHORT_UNALIGNED, at, (short) value);
            case Integer.BYTES -> target.set(JAVA_INT_UNALIGNED, at, (int) value);
            default -> target.set(JAVA_LONG_UNALIGNED, at, value);
        }
    }

    private static long get(MemorySegment source, long at, int width) {
        return switch (width) {
            case Byte.BYTES -> Byte.toUnsignedLong(source.get(JAVA_BYTE, at));
            case Short.BYTES -> Short.toUnsignedLong(source.get(JAVA_SHORT_UNALIGNED, at));
            case Integer.BYTES -> Integer.toUnsignedLong(source.get(JAVA_INT_UNALIGNED, at));
            default -> source.get(JAVA_LONG_UNALIGNED, at);
        };
    }
}
