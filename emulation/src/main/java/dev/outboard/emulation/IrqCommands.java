package dev.outboard.emulation;

import dev.outboard.linux.Errno;
import dev.outboard.linux.EventFd;
import dev.outboard.linux.Fd;
import dev.outboard.linux.StructView;
import dev.outboard.linux.uapi.Vfio;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** DEVICE_GET_IRQ_INFO and DEVICE_SET_IRQS. */
final class IrqCommands {
    private static final int DATA_MASK =
            Vfio.VFIO_IRQ_SET_DATA_NONE | Vfio.VFIO_IRQ_SET_DATA_BOOL | Vfio.VFIO_IRQ_SET_DATA_EVENTFD;
    private static final int ACTION_MASK =
            Vfio.VFIO_IRQ_SET_ACTION_MASK | Vfio.VFIO_IRQ_SET_ACTION_UNMASK | Vfio.VFIO_IRQ_SET_ACTION_TRIGGER;
    private static final int NO_DESCRIPTOR = -1;

    private final InterruptLines lines;

    IrqCommands(InterruptLines lines) {
        this.lines = lines;
    }

    long describe(MemorySegment request, MemorySegment reply) throws ErrorReply {
        StructView asked = Payload.sized(Vfio.IRQ_INFO, request);
        long index = asked.get("index");
        if (index >= Vfio.VFIO_PCI_NUM_IRQS) {
            throw new ErrorReply(Errno.EINVAL);
        }
        Vfio.IRQ_INFO
                .view(reply)
                .set("argsz", Vfio.IRQ_INFO.byteSize())
                .set("flags", Vfio.VFIO_IRQ_INFO_EVENTFD | flags((int) index))
                .set("index", index)
                .set("count", lines.count((int) index));
        return Vfio.IRQ_INFO.byteSize();
    }

    private static int flags(int index) {
        return switch (index) {
            case Vfio.VFIO_PCI_INTX_IRQ_INDEX -> Vfio.VFIO_IRQ_INFO_MASKABLE | Vfio.VFIO_IRQ_INFO_AUTOMASKED;
            // Vectors can be connected one by one, without those that are.
            case Vfio.VFIO_PCI_MSI_IRQ_INDEX, Vfio.VFIO_PCI_MSIX_IRQ_INDEX -> Vfio.VFIO_IRQ_INFO_MASKABLE;
            default -> 0;
        };
    }

    void set(MemorySegment request, List<Fd> descriptors) throws IOException {
        StructView set = Payload.sized(Vfio.IRQ_SET, request);
        int flags = (int) set.get("flags");
        int data = flags & DATA_MASK;
        int action = flags & ACTION_MASK;
        long index = set.get("index");
        long start = set.get("start");
        long count = set.get("count");
        if (set.get("argsz") > request.byteSize()
                || Integer.bitCount(data) != 1
                || Integer.bitCount(action) != 1
                || flags != (data | action)
                || index >= Vfio.VFIO_PCI_NUM_IRQS
                || start + count > lines.count((int) index)
                || (data != Vfio.VFIO_IRQ_SET_DATA_EVENTFD && !descriptors.isEmpty())) {
            throw new ErrorReply(Errno.EINVAL);
        }
        boolean triggers = action == Vfio.VFIO_IRQ_SET_ACTION_TRIGGER;
        if (!triggers && (flags((int) index) & Vfio.VFIO_IRQ_INFO_MASKABLE) == 0) {
            throw new ErrorReply(Errno.EINVAL);
        }
        if (count == 0) {
            // "A count (and start) of 0, with data flags of NONE, disables all interrupts of the index."
            if (start != 0 || data != Vfio.VFIO_IRQ_SET_DATA_NONE || !triggers) {
                throw new ErrorReply(Errno.EINVAL);
            }
            lines.disconnect((int) index);
        } else if (data != Vfio.VFIO_IRQ_SET_DATA_EVENTFD) {
            act(flags, (int) index, (int) start, (int) count, set.trailing());
        } else if (triggers) {
            connect((int) index, (int) start, (int) count, set.trailing(), descriptors);
        } else {
            // The protocol says that the server signals such an eventfd when a vector is masked or unmasked; QEMU means
            // what VFIO means, that KVM signals it to unmask INTx. It does without when it is refused.
            throw new ErrorReply(Errno.EOPNOTSUPP);
        }
    }

    private void act(int flags, int index, int start, int count, MemorySegment booleans) throws ErrorReply {
        boolean selected = (flags & Vfio.VFIO_IRQ_SET_DATA_BOOL) != 0;
        if (selected && booleans.byteSize() != count) {
            throw new ErrorReply(Errno.EINVAL);
        }
        for (int i = 0; i < count; i++) {
            if (selected && booleans.get(ValueLayout.JAVA_BYTE, i) == 0) {
                continue;
            }
            if ((flags & Vfio.VFIO_IRQ_SET_ACTION_TRIGGER) != 0) {
                lines.trigger(index, start + i);
            } else {
                lines.mask(index, start + i, (flags & Vfio.VFIO_IRQ_SET_ACTION_MASK) != 0);
            }
        }
    }

    private void connect(int index, int start, int count, MemorySegment data, List<Fd> descriptors) throws IOException {
        // vfio-user sends no numbers, but all descriptors of the range or none; VFIO's array, where it comes, says with
        // -1 which vectors have none.
        boolean hasNumbers = data.byteSize() >= (long) count * Integer.BYTES;
        @Nullable Fd[] chosen = new Fd[count];
        int used = 0;
        for (int i = 0; i < count; i++) {
            boolean none = hasNumbers
                    ? data.get(ValueLayout.JAVA_INT_UNALIGNED, (long) i * Integer.BYTES) == NO_DESCRIPTOR
                    : descriptors.isEmpty();
            if (!none) {
                if (used == descriptors.size()) {
                    throw new ErrorReply(Errno.EINVAL);
                }
                chosen[i] = checkEventFd(descriptors.get(used++));
            }
        }
        if (used != descriptors.size()) {
            throw new ErrorReply(Errno.EINVAL);
        }
        descriptors.clear();
        for (int i = 0; i < count; i++) {
            Fd fd = chosen[i];
            lines.connect(index, start + i, fd == null ? null : EventFd.of(fd));
        }
    }

    // Signalling anything else, such as a full pipe, could block for ever.
    private static Fd checkEventFd(Fd fd) throws IOException {
        Path target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd.number()));
        if (!target.toString().equals("anon_inode:[eventfd]")) {
            throw new ErrorReply(Errno.EINVAL);
        }
        return fd;
    }
}
