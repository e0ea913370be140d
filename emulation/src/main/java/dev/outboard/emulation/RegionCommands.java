package dev.outboard.emulation;

import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.StructView;
import dev.outboard.linux.uapi.Vfio;
import dev.outboard.specs.vfiouser.VfioUser;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** DEVICE_GET_REGION_INFO, DEVICE_GET_REGION_IO_FDS, REGION_READ, REGION_WRITE and REGION_WRITE_MULTI. */
final class RegionCommands {
    private final Regions regions;

    RegionCommands(Regions regions) {
        this.regions = regions;
    }

    long describe(MemorySegment request, MemorySegment reply, boolean takesDescriptors, List<Fd> attached)
            throws ErrorReply {
        StructView asked = Payload.sized(Vfio.REGION_INFO, request);
        return regions.describe((int) asked.get("index"), asked.get("argsz"), reply, takesDescriptors, attached);
    }

    /** One eventfd stands for all of a region's areas: what they say is that somebody should look. */
    long describeIoFds(MemorySegment request, MemorySegment reply, boolean takesDescriptors, List<Fd> attached)
            throws ErrorReply {
        StructView asked = Payload.sized(VfioUser.REGION_IO_FDS_MESSAGE, request);
        if (asked.get("flags") != 0 || asked.get("count") != 0 || regions.sizeBytes((int) asked.get("index")) == 0) {
            throw new ErrorReply(Errno.EINVAL);
        }
        PciModel.IoEvents events = takesDescriptors ? regions.ioEvents((int) asked.get("index")) : null;
        List<Bar.Area> areas = events == null ? List.of() : events.areas();
        long head = VfioUser.REGION_IO_FDS_MESSAGE.byteSize();
        long one = VfioUser.REGION_IO_EVENT_FD.byteSize();
        long needed = head + areas.size() * one;
        // A client without room for all of them learns from argsz and count how much it takes.
        boolean fits = asked.get("argsz") >= needed;
        VfioUser.REGION_IO_FDS_MESSAGE
                .view(reply)
                .set("argsz", needed)
                .set("flags", 0)
                .set("index", asked.get("index"))
                .set("count", areas.size());
        if (events == null || !fits) {
            return head;
        }
        for (int i = 0; i < areas.size(); i++) {
            MemorySegment place = reply.asSlice(head + i * one, one).fill((byte) 0);
            VfioUser.REGION_IO_EVENT_FD
                    .view(place)
                    .set("offset", areas.get(i).offset())
                    .set("size", areas.get(i).sizeBytes());
        }
        attached.add(events.event().fd());
        return needed;
    }

    long read(MemorySegment request, MemorySegment reply) throws ErrorReply {
        StructView access = Payload.view(VfioUser.REGION_ACCESS_MESSAGE, request);
        int region = (int) access.get("region");
        long offset = access.get("offset");
        long count = access.get("count");
        regions.check(region, offset, count, VfioUser.DEFAULT_MAX_DATA_XFER_SIZE);
        long head = Payload.echo(access, VfioUser.REGION_ACCESS_MESSAGE, reply);
        regions.read(region, offset, reply.asSlice(head, count));
        return head + count;
    }

    long write(MemorySegment request, MemorySegment reply) throws ErrorReply {
        StructView access = Payload.view(VfioUser.REGION_ACCESS_MESSAGE, request);
        int region = (int) access.get("region");
        long offset = access.get("offset");
        MemorySegment data = access.trailing();
        if (data.byteSize() != access.get("count")) {
            throw new ErrorReply(Errno.EINVAL);
        }
        regions.check(region, offset, data.byteSize(), VfioUser.DEFAULT_MAX_DATA_XFER_SIZE);
        regions.write(region, offset, data);
        return Payload.echo(access, VfioUser.REGION_ACCESS_MESSAGE, reply);
    }

    long writeMulti(MemorySegment request, MemorySegment reply) throws ErrorReply {
        StructView multi = Payload.view(VfioUser.REGION_WRITE_MULTI_MESSAGE, request);
        long writes = multi.get("wr_cnt");
        long size = VfioUser.REGION_WRITE_ONE.byteSize();
        MemorySegment all = multi.trailing();
        if (writes < 0 || writes > all.byteSize() / size) {
            throw new ErrorReply(Errno.EINVAL);
        }
        // All are checked before any is done: an error reply could not say how many were.
        for (long i = 0; i < writes; i++) {
            StructView one = VfioUser.REGION_WRITE_ONE.view(all.asSlice(i * size, size));
            regions.check((int) one.get("region"), one.get("offset"), one.get("count"), Long.BYTES);
        }
        for (long i = 0; i < writes; i++) {
            StructView one = VfioUser.REGION_WRITE_ONE.view(all.asSlice(i * size, size));
            MemorySegment data = one.slice("data").asSlice(0, one.get("count"));
            regions.write((int) one.get("region"), one.get("offset"), data);
        }
        return Payload.echo(multi, VfioUser.REGION_WRITE_MULTI_MESSAGE, reply);
    }
}
