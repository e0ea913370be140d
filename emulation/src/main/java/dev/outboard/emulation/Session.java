package dev.outboard.emulation;

import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.StructView;
import dev.outboard.linux.UnixSocket;
import dev.outboard.linux.uapi.Vfio;
import dev.outboard.specs.vfiouser.VfioUser;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * One client: takes its commands, has the model carry them out, answers. Every number in a message is the word of a
 * stranger. The protocol is that of QEMU's docs/interop/vfio-user.rst, version 0.1.
 */
final class Session implements AutoCloseable {
    private final PciModel model;
    private final MessageChannel channel;
    private final Regions regions;
    private final IrqCommands irqs;
    private final List<Fd> attached = new ArrayList<>();
    private boolean negotiated;

    Session(PciModel model, UnixSocket socket) {
        this.model = model;
        channel = new MessageChannel(socket);
        regions = new Regions(model);
        irqs = new IrqCommands(model.interrupts());
    }

    UnixSocket socket() {
        return channel.socket();
    }

    /** Takes what the client sent; call it when the socket is readable. Returns false if the connection is over. */
    boolean receive() {
        try {
            return switch (channel.receive()) {
                case PARTIAL -> true;
                case CLOSED -> false;
                case MALFORMED -> {
                    // Where the next message starts is anyone's guess.
                    channel.replyError(Errno.EINVAL);
                    yield false;
                }
                case MESSAGE -> {
                    boolean open = answer();
                    channel.next();
                    yield open;
                }
            };
        } catch (LinuxException gone) {
            return false;
        }
    }

    private boolean answer() throws LinuxException {
        StructView header = channel.header();
        int flags = (int) header.get("flags");
        if ((flags & VfioUser.FLAGS_TYPE_MASK) != VfioUser.FLAGS_TYPE_COMMAND) {
            // A reply to a question that nobody asked.
            return false;
        }
        boolean silent = (flags & VfioUser.FLAGS_NO_REPLY) != 0;
        int command = header.getInt("cmd");
        int errno;
        try {
            attached.clear();
            long payloadBytes = execute(command, channel.payload(), channel.replyPayload());
            if (!silent) {
                channel.reply(payloadBytes, attached);
            }
            return true;
        } catch (ErrorReply e) {
            errno = e.errno();
        } catch (LinuxException e) {
            errno = e.errno();
        } catch (IOException e) {
            errno = Errno.EIO;
        }
        if (!silent) {
            channel.replyError(errno);
        }
        return command != VfioUser.VERSION;
    }

    private long execute(int command, MemorySegment request, MemorySegment reply) throws IOException {
        if (negotiated == (command == VfioUser.VERSION)) {
            throw new ErrorReply(Errno.EINVAL);
        }
        switch (command) {
            case VfioUser.VERSION -> {
                return negotiate(request, reply);
            }
            case VfioUser.DMA_MAP -> mapDma(request);
            case VfioUser.DMA_UNMAP -> {
                return unmapDma(request, reply);
            }
            case VfioUser.DEVICE_GET_INFO -> {
                return describeDevice(request, reply);
            }
            case VfioUser.DEVICE_GET_REGION_INFO -> {
                StructView asked = IrqCommands.view(Vfio.REGION_INFO, request);
                return regions.describe((int) asked.get("index"), asked.get("argsz"), reply, attached);
            }
            case VfioUser.DEVICE_GET_IRQ_INFO -> {
                return irqs.describe(request, reply);
            }
            case VfioUser.DEVICE_SET_IRQS -> irqs.set(request, channel.descriptors());
            case VfioUser.REGION_READ -> {
                return readRegion(request, reply);
            }
            case VfioUser.REGION_WRITE -> {
                return writeRegion(request, reply);
            }
            case VfioUser.REGION_WRITE_MULTI -> {
                return writeRegions(request, reply);
            }
            case VfioUser.DEVICE_RESET -> model.reset();
            default -> throw new ErrorReply(Errno.EOPNOTSUPP);
        }
        return 0;
    }

    private long negotiate(MemorySegment request, MemorySegment reply) throws ErrorReply {
        StructView asked = IrqCommands.view(VfioUser.VERSION_MESSAGE, request);
        if (asked.get("major") != VfioUser.VERSION_MAJOR) {
            throw new ErrorReply(Errno.EINVAL);
        }
        long jsonBytes = asked.trailing().byteSize();
        if (jsonBytes > 0) {
            byte[] json = asked.trailing().toArray(ValueLayout.JAVA_BYTE);
            if (json[json.length - 1] != 0) {
                throw new ErrorReply(Errno.EINVAL);
            }
            VersionCapabilities.parse(new String(json, 0, json.length - 1, StandardCharsets.UTF_8));
        }
        StructView answer = VfioUser.VERSION_MESSAGE
                .view(reply)
                .set("major", VfioUser.VERSION_MAJOR)
                // QEMU proposes 0.0, and takes nothing newer than what it proposed.
                .set("minor", Math.min(asked.get("minor"), VfioUser.VERSION_MINOR));
        String json = VersionCapabilities.serverJson();
        answer.trailing().setString(0, json);
        negotiated = true;
        return VfioUser.VERSION_MESSAGE.byteSize() + json.length() + 1;
    }

    private long describeDevice(MemorySegment request, MemorySegment reply) throws ErrorReply {
        StructView asked = IrqCommands.view(VfioUser.DEVICE_INFO_MESSAGE, request);
        if (asked.get("argsz") < VfioUser.DEVICE_INFO_MESSAGE.byteSize()) {
            throw new ErrorReply(Errno.EINVAL);
        }
        VfioUser.DEVICE_INFO_MESSAGE
                .view(reply)
                .set("argsz", VfioUser.DEVICE_INFO_MESSAGE.byteSize())
                .set("flags", Vfio.VFIO_DEVICE_FLAGS_RESET | Vfio.VFIO_DEVICE_FLAGS_PCI)
                .set("num_regions", Vfio.VFIO_PCI_NUM_REGIONS)
                .set("num_irqs", Vfio.VFIO_PCI_NUM_IRQS);
        return VfioUser.DEVICE_INFO_MESSAGE.byteSize();
    }

    private void mapDma(MemorySegment request) throws IOException {
        StructView map = IrqCommands.view(VfioUser.DMA_MAP_MESSAGE, request);
        long flags = map.get("flags");
        List<Fd> descriptors = channel.descriptors();
        if ((flags & ~(VfioUser.DMA_MAP_READ | VfioUser.DMA_MAP_WRITE)) != 0 || descriptors.size() > 1) {
            throw new ErrorReply(Errno.EINVAL);
        }
        model.dma()
                .map(
                        map.get("addr"),
                        map.get("size"),
                        descriptors.isEmpty() ? null : descriptors.getFirst(),
                        map.get("offset"),
                        (flags & VfioUser.DMA_MAP_READ) != 0,
                        (flags & VfioUser.DMA_MAP_WRITE) != 0);
    }

    private long unmapDma(MemorySegment request, MemorySegment reply) throws ErrorReply {
        StructView unmap = IrqCommands.view(VfioUser.DMA_UNMAP_MESSAGE, request);
        long flags = unmap.get("flags");
        if (flags == VfioUser.DMA_UNMAP_ALL && unmap.get("addr") == 0 && unmap.get("size") == 0) {
            model.dma().unmapAll();
        } else if (flags == 0) {
            model.dma().unmap(unmap.get("addr"), unmap.get("size"));
        } else {
            throw new ErrorReply(Errno.EINVAL);
        }
        return echo(unmap.segment(), VfioUser.DMA_UNMAP_MESSAGE.byteSize(), reply);
    }

    private long readRegion(MemorySegment request, MemorySegment reply) throws ErrorReply {
        StructView access = IrqCommands.view(VfioUser.REGION_ACCESS_MESSAGE, request);
        int region = (int) access.get("region");
        long offset = access.get("offset");
        long count = access.get("count");
        regions.check(region, offset, count, VfioUser.DEFAULT_MAX_DATA_XFER_SIZE);
        long head = echo(access.segment(), VfioUser.REGION_ACCESS_MESSAGE.byteSize(), reply);
        regions.read(region, offset, reply.asSlice(head, count));
        return head + count;
    }

    private long writeRegion(MemorySegment request, MemorySegment reply) throws ErrorReply {
        StructView access = IrqCommands.view(VfioUser.REGION_ACCESS_MESSAGE, request);
        int region = (int) access.get("region");
        long offset = access.get("offset");
        long count = access.get("count");
        regions.check(region, offset, count, access.trailing().byteSize());
        regions.write(region, offset, access.trailing().asSlice(0, count));
        return echo(access.segment(), VfioUser.REGION_ACCESS_MESSAGE.byteSize(), reply);
    }

    private long writeRegions(MemorySegment request, MemorySegment reply) throws ErrorReply {
        StructView multi = IrqCommands.view(VfioUser.REGION_WRITE_MULTI_MESSAGE, request);
        long writes = multi.get("wr_cnt");
        long size = VfioUser.REGION_WRITE_ONE.byteSize();
        if (writes < 0 || writes > multi.trailing().byteSize() / size) {
            throw new ErrorReply(Errno.EINVAL);
        }
        for (long i = 0; i < writes; i++) {
            StructView one = VfioUser.REGION_WRITE_ONE.view(multi.trailing().asSlice(i * size, size));
            long count = one.get("count");
            regions.check((int) one.get("region"), one.get("offset"), count, Long.BYTES);
            regions.write(
                    (int) one.get("region"),
                    one.get("offset"),
                    one.slice("data").asSlice(0, count));
        }
        return echo(multi.segment(), VfioUser.REGION_WRITE_MULTI_MESSAGE.byteSize(), reply);
    }

    private static long echo(MemorySegment request, long bytes, MemorySegment reply) {
        MemorySegment.copy(request, 0, reply, 0, bytes);
        return bytes;
    }

    @Override
    public void close() {
        model.disconnected();
        channel.close();
    }
}
