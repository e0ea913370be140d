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
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One client: takes its commands, has the model carry them out, answers. Every number in a message is the word of a
 * stranger. The protocol is that of QEMU's docs/interop/vfio-user.rst, version 0.1.
 */
final class Session implements AutoCloseable {
    private final PciModel model;
    private final MessageChannel channel;
    private final RegionCommands regions;
    private final DmaCommands dma;
    private final IrqCommands irqs;
    private final List<Fd> attached = new ArrayList<>();
    private @Nullable Negotiation negotiation;
    private @Nullable MessageChannel twin;
    private @Nullable ClientMemory memory;

    Session(PciModel model, UnixSocket socket) {
        this.model = model;
        channel = new MessageChannel(socket);
        regions = new RegionCommands(new Regions(model));
        dma = new DmaCommands(model.dma());
        irqs = new IrqCommands(model.interrupts());
    }

    UnixSocket socket() {
        return channel.socket();
    }

    /**
     * Whether {@link #receive} has something to do that no look at the socket tells of: the model waited for the client,
     * which sent commands meanwhile, or went.
     */
    boolean isBehind() {
        return channel.hasKept() || isLost();
    }

    private boolean isLost() {
        ClientMemory reached = memory;
        return reached != null && reached.isLost();
    }

    /** Takes what the client sent; call it when the socket is readable. Returns false if the connection is over. */
    boolean receive() {
        try {
            if (isLost()) {
                return false;
            }
            return switch (channel.receive()) {
                case PARTIAL -> true;
                case CLOSED -> false;
                case MALFORMED -> {
                    // Where the next message starts is anyone's guess.
                    channel.replyError(Errno.EINVAL);
                    yield false;
                }
                case MESSAGE -> {
                    boolean open = answer(channel.command());
                    channel.command().clear();
                    yield open && !isLost();
                }
            };
        } catch (LinuxException gone) {
            return false;
        }
    }

    private boolean answer(IncomingMessage message) throws LinuxException {
        if (message.type() != VfioUser.FLAGS_TYPE_COMMAND) {
            // A reply to a question that nobody asked.
            return false;
        }
        boolean silent = (message.header().get("flags") & VfioUser.FLAGS_NO_REPLY) != 0;
        int command = message.header().getInt("cmd");
        int errno;
        try {
            attached.clear();
            long payloadBytes = execute(command, message, channel.replyPayload());
            model.settle(true);
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
        } finally {
            if (command == VfioUser.VERSION) {
                attached.forEach(Fd::close);
            }
        }
        if (!silent) {
            channel.replyError(errno);
        }
        return command != VfioUser.VERSION;
    }

    private long execute(int command, IncomingMessage message, MemorySegment reply) throws IOException {
        MemorySegment request = message.payload();
        Negotiation agreed = negotiation;
        if (agreed == null) {
            if (command != VfioUser.VERSION) {
                throw new ErrorReply(Errno.EINVAL);
            }
            return negotiate(request, reply);
        }
        return switch (command) {
            case VfioUser.DMA_MAP -> {
                dma.map(request, message.descriptors());
                yield 0;
            }
            case VfioUser.DMA_UNMAP -> dma.unmap(request, reply);
            case VfioUser.DEVICE_GET_INFO -> describeDevice(request, reply);
            case VfioUser.DEVICE_GET_REGION_INFO ->
                regions.describe(request, reply, agreed.client().maxMsgFds() > 0, attached);
            case VfioUser.DEVICE_GET_REGION_IO_FDS ->
                regions.describeIoFds(request, reply, agreed.client().maxMsgFds() > 0, attached);
            case VfioUser.DEVICE_GET_IRQ_INFO -> irqs.describe(request, reply);
            case VfioUser.DEVICE_SET_IRQS -> {
                irqs.set(request, message.descriptors());
                yield 0;
            }
            case VfioUser.REGION_READ -> regions.read(request, reply);
            case VfioUser.REGION_WRITE -> regions.write(request, reply);
            case VfioUser.REGION_WRITE_MULTI -> regions.writeMulti(request, reply);
            case VfioUser.DEVICE_RESET -> {
                model.requestReset();
                yield 0;
            }
            case VfioUser.DEVICE_FEATURE -> {
                Payload.sized(VfioUser.DEVICE_FEATURE_MESSAGE, request);
                // As VFIO answers for a feature that a device does not have.
                throw new ErrorReply(Errno.ENOTTY);
            }
            case VfioUser.VERSION -> throw new ErrorReply(Errno.EINVAL);
            default -> throw new ErrorReply(Errno.EOPNOTSUPP);
        };
    }

    private long negotiate(MemorySegment request, MemorySegment reply) throws IOException {
        Negotiation agreed = Negotiation.of(request, reply, attached);
        UnixSocket own = agreed.twin();
        MessageChannel commands = channel;
        if (own != null) {
            commands = new MessageChannel(own);
            twin = commands;
        }
        memory = new ClientMemory(commands, agreed.client().maxDataXferSize());
        model.dma().setClient(memory);
        negotiation = agreed;
        return agreed.replyBytes();
    }

    private static long describeDevice(MemorySegment request, MemorySegment reply) throws ErrorReply {
        StructView asked = Payload.sized(VfioUser.DEVICE_INFO_MESSAGE, request);
        // A client that sends VFIO's longer structure waits for it, too: rust-vmm's crate until 2023.
        long longer = VfioUser.LONG_DEVICE_INFO_MESSAGE.byteSize();
        long size = request.byteSize() == longer && asked.get("argsz") >= longer
                ? longer
                : VfioUser.DEVICE_INFO_MESSAGE.byteSize();
        VfioUser.LONG_DEVICE_INFO_MESSAGE
                .view(reply)
                .set("argsz", size)
                .set("flags", Vfio.VFIO_DEVICE_FLAGS_RESET | Vfio.VFIO_DEVICE_FLAGS_PCI)
                .set("num_regions", Vfio.VFIO_PCI_NUM_REGIONS)
                .set("num_irqs", Vfio.VFIO_PCI_NUM_IRQS)
                .set("cap_offset", 0);
        return size;
    }

    @Override
    public void close() {
        model.dma().setClient(null);
        try {
            model.disconnected();
        } finally {
            ClientMemory reached = memory;
            if (reached != null) {
                reached.close();
            }
            MessageChannel own = twin;
            if (own != null) {
                own.close();
            }
            channel.close();
        }
    }
}
