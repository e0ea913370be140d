package dev.outboard.emulation;

import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.StructView;
import dev.outboard.specs.vfiouser.VfioUser;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** DMA_MAP and DMA_UNMAP. */
final class DmaCommands {
    private final DmaSpace dma;

    DmaCommands(DmaSpace dma) {
        this.dma = dma;
    }

    void map(MemorySegment request, List<Fd> descriptors) throws IOException {
        StructView map = Payload.sized(VfioUser.DMA_MAP_MESSAGE, request);
        long flags = map.get("flags");
        if ((flags & ~(VfioUser.DMA_MAP_READ | VfioUser.DMA_MAP_WRITE)) != 0 || descriptors.size() > 1) {
            throw new ErrorReply(Errno.EINVAL);
        }
        dma.map(
                map.get("addr"),
                map.get("size"),
                descriptors.isEmpty() ? null : descriptors.getFirst(),
                map.get("offset"),
                (flags & VfioUser.DMA_MAP_READ) != 0,
                (flags & VfioUser.DMA_MAP_WRITE) != 0);
    }

    // SPDK sends the descriptor that it mapped with along. It is closed like every other that is not taken.
    long unmap(MemorySegment request, MemorySegment reply) throws ErrorReply {
        StructView unmap = Payload.sized(VfioUser.DMA_UNMAP_MESSAGE, request);
        long flags = unmap.get("flags");
        if (flags == VfioUser.DMA_UNMAP_ALL && unmap.get("addr") == 0 && unmap.get("size") == 0) {
            dma.unmapAll();
        } else if (flags == 0) {
            dma.unmap(unmap.get("addr"), unmap.get("size"));
        } else {
            throw new ErrorReply(flags == VfioUser.DMA_UNMAP_GET_DIRTY_BITMAP ? Errno.EOPNOTSUPP : Errno.EINVAL);
        }
        return Payload.echo(unmap, VfioUser.DMA_UNMAP_MESSAGE, reply);
    }
}
