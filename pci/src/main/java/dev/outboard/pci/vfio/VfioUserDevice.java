package dev.outboard.pci.vfio;

import static dev.outboard.linux.uapi.Vfio.IRQ_INFO;
import static dev.outboard.linux.uapi.Vfio.IRQ_SET;
import static dev.outboard.linux.uapi.Vfio.REGION_INFO;
import static dev.outboard.specs.vfiouser.VfioUser.DEVICE_INFO_MESSAGE;
import static dev.outboard.specs.vfiouser.VfioUser.REGION_ACCESS_MESSAGE;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.linux.Fd;
import dev.outboard.linux.Mman;
import dev.outboard.linux.Struct;
import dev.outboard.linux.StructView;
import dev.outboard.linux.UnixSocket;
import dev.outboard.linux.uapi.Vfio;
import dev.outboard.memory.DmaAllocator.AddressRange;
import dev.outboard.memory.DmaMapper;
import dev.outboard.pci.vfio.VfioUserConnection.Reply;
import dev.outboard.specs.vfiouser.VfioUser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A device that another process serves over a Unix socket, in the protocol vfio-user. */
final class VfioUserDevice implements VfioDevice {
    /** How large a description of a region may be, capabilities included. */
    private static final long REGION_INFO_BYTES = 4096;

    private static final long LARGEST_REGION_INFO_BYTES = 64 << 10;

    private final String name;
    private final VfioUserDma dma = new VfioUserDma();
    private final VfioUserConnection connection;
    private final Map<Integer, Fd> regionFiles = new HashMap<>();
    private VfioUserVersion.Limits limits = VfioUserVersion.Limits.DEFAULT;
    private long regions;
    private long irqs;
    private boolean canReset;
    private volatile boolean allOnesSeen;

    /**
     * Takes a socket over.
     *
     * @param name the device's address, for messages
     * @param socket connected to the server
     * @throws IOException if the server does not speak the protocol, or its device is no PCI device
     */
    VfioUserDevice(String name, UnixSocket socket) throws IOException {
        this.name = name;
        connection = new VfioUserConnection(name, socket, dma);
        connection.start();
        try {
            limits = VfioUserVersion.negotiate(name, connection);
            StructView request = zeroed(DEVICE_INFO_MESSAGE, 0).set("argsz", DEVICE_INFO_MESSAGE.byteSize());
            StructView info = ask(VfioUser.DEVICE_GET_INFO, request, DEVICE_INFO_MESSAGE);
            if ((info.get("flags") & Vfio.VFIO_DEVICE_FLAGS_PCI) == 0) {
                throw new DeviceException(name + ": the server's device is no PCI device");
            }
            canReset = (info.get("flags") & Vfio.VFIO_DEVICE_FLAGS_RESET) != 0;
            regions = info.get("num_regions");
            irqs = info.get("num_irqs");
        } catch (IOException | RuntimeException e) {
            connection.close();
            throw e;
        }
    }

    private static StructView zeroed(Struct struct, long trailingBytes) {
        return struct.view(MemorySegment.ofArray(new byte[(int) (struct.byteSize() + trailingBytes)]));
    }

    /** Sends a command whose reply is a structure of fixed size, without descriptors. */
    private StructView ask(int command, StructView request, Struct replied) throws DeviceException {
        Reply reply = connection.call(command, request.segment(), List.of());
        reply.closeDescriptors();
        if (reply.body().byteSize() < replied.byteSize()) {
            throw nonsense(VfioUser.commandName(command) + " was answered with "
                    + reply.body().byteSize() + " bytes, " + replied.byteSize() + " are needed");
        }
        return replied.view(reply.body());
    }

    private DeviceException nonsense(String what) {
        DeviceException violation = new DeviceException(name + ": " + what);
        connection.fail(violation);
        return violation;
    }

    @Override
    public synchronized RegionInfo regionInfo(int index) throws IOException {
        if (index >= regions) {
            return new RegionInfo(index, 0, 0, 0, List.of());
        }
        long expected = REGION_INFO_BYTES;
        while (true) {
            StructView request = zeroed(REGION_INFO, 0).set("argsz", expected).set("index", index);
            Reply reply = connection.call(VfioUser.DEVICE_GET_REGION_INFO, request.segment(), List.of());
            MemorySegment body = reply.body();
            long needed = body.byteSize() < REGION_INFO.byteSize()
                    ? 0
                    : REGION_INFO.view(body).get("argsz");
            if (needed > expected) {
                reply.closeDescriptors();
                if (needed > LARGEST_REGION_INFO_BYTES) {
                    throw nonsense("region " + index + ": its description cannot need " + needed + " bytes");
                }
                expected = needed;
                continue;
            }
            return keepFile(index, reply);
        }
    }

    private RegionInfo keepFile(int index, Reply reply) throws IOException {
        List<Fd> files = new ArrayList<>(reply.descriptors());
        try {
            RegionInfo info;
            try {
                info = RegionInfo.parse(name, index, reply.body());
            } catch (DeviceException e) {
                throw connection.fail(e);
            }
            if (info.areas().isEmpty() || files.isEmpty()) {
                // Every region can be reached by messages too.
                return info.withoutAreas();
            }
            Fd file = files.getFirst();
            long fileBytes = file.regularFileBytes();
            for (RegionInfo.Area area : info.areas()) {
                // A mapping beyond the end of its file would fault at the first access.
                if (fileBytes >= 0 && area.sizeBytes() > fileBytes - info.fileOffset() - area.offset()) {
                    throw nonsense("region " + index + " has a mappable area beyond the end of its file of " + fileBytes
                            + " bytes");
                }
            }
            files.removeFirst();
            Fd before = regionFiles.put(index, file);
            if (before != null) {
                before.close();
            }
            return info;
        } finally {
            files.forEach(Fd::close);
        }
    }

    @Override
    public synchronized MemorySegment map(RegionInfo region, RegionInfo.Area area, Arena arena) throws IOException {
        Fd file = regionFiles.get(region.index());
        if (file == null) {
            throw new DeviceException(name + ": region " + region.index() + " cannot be mapped");
        }
        return file.mmap(
                region.fileOffset() + area.offset(),
                area.sizeBytes(),
                Mman.PROT_READ | Mman.PROT_WRITE,
                Mman.MAP_SHARED,
                arena);
    }

    @Override
    public IrqInfo irqInfo(int index) throws IOException {
        if (index >= irqs) {
            return IrqInfo.NONE;
        }
        StructView request =
                zeroed(IRQ_INFO, 0).set("argsz", IRQ_INFO.byteSize()).set("index", index);
        StructView info = ask(VfioUser.DEVICE_GET_IRQ_INFO, request, IRQ_INFO);
        if (info.get("index") != index) {
            throw nonsense("asked for interrupt index " + index + ", it answered for " + info.get("index"));
        }
        return new IrqInfo((int) info.get("flags"), (int) info.get("count"));
    }

    @Override
    public void setIrqs(int action, int index, int start, int count) throws IOException {
        setIrqs(Vfio.VFIO_IRQ_SET_DATA_NONE | action, index, start, count, List.of());
    }

    @Override
    public void setIrqEventFds(int index, List<Fd> eventFds) throws IOException {
        int flags = Vfio.VFIO_IRQ_SET_DATA_EVENTFD | Vfio.VFIO_IRQ_SET_ACTION_TRIGGER;
        for (int start = 0; start < eventFds.size(); start += limits.descriptors()) {
            int end = Math.min(eventFds.size(), start + limits.descriptors());
            setIrqs(flags, index, start, end - start, eventFds.subList(start, end));
        }
    }

    private void setIrqs(int flags, int index, int start, int count, List<Fd> eventFds) throws IOException {
        StructView request = zeroed(IRQ_SET, 0)
                .set("argsz", IRQ_SET.byteSize())
                .set("flags", flags)
                .set("index", index)
                .set("start", start)
                .set("count", count);
        connection.call(VfioUser.DEVICE_SET_IRQS, request.segment(), eventFds).closeDescriptors();
    }

    @Override
    public long read(RegionInfo region, long offset, int widthBytes) {
        try {
            StructView request = access(region, offset, widthBytes, 0);
            MemorySegment data = transfer(VfioUser.REGION_READ, request, widthBytes);
            return switch (widthBytes) {
                case Byte.BYTES -> data.get(ValueLayout.JAVA_BYTE, 0);
                case Short.BYTES -> data.get(ValueLayout.JAVA_SHORT_UNALIGNED, 0);
                case Integer.BYTES -> data.get(ValueLayout.JAVA_INT_UNALIGNED, 0);
                default -> data.get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
            };
        } catch (DeviceException e) {
            if (connection.isPresent()) {
                throw new UncheckedIOException(e);
            }
            return -1;
        }
    }

    @Override
    public void write(RegionInfo region, long offset, int widthBytes, long value) {
        try {
            StructView request = access(region, offset, widthBytes, widthBytes);
            MemorySegment data = request.trailing();
            switch (widthBytes) {
                case Byte.BYTES -> data.set(ValueLayout.JAVA_BYTE, 0, (byte) value);
                case Short.BYTES -> data.set(ValueLayout.JAVA_SHORT_UNALIGNED, 0, (short) value);
                case Integer.BYTES -> data.set(ValueLayout.JAVA_INT_UNALIGNED, 0, (int) value);
                default -> data.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, value);
            }
            transfer(VfioUser.REGION_WRITE, request, 0);
        } catch (DeviceException e) {
            if (connection.isPresent()) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static StructView access(RegionInfo region, long offset, int widthBytes, int dataBytes) {
        return zeroed(REGION_ACCESS_MESSAGE, dataBytes)
                .set("offset", offset)
                .set("region", region.index())
                .set("count", widthBytes);
    }

    /** Sends a region access, and checks that the reply is to just this one. */
    private MemorySegment transfer(int command, StructView request, int replyDataBytes) throws DeviceException {
        StructView reply = ask(command, request, REGION_ACCESS_MESSAGE);
        if (reply.get("offset") != request.get("offset")
                || reply.get("region") != request.get("region")
                || reply.get("count") != request.get("count")
                || reply.trailing().byteSize() != replyDataBytes) {
            throw nonsense(VfioUser.commandName(command) + " of " + request.get("count") + " bytes at 0x"
                    + Long.toHexString(request.get("offset")) + " of region " + request.get("region")
                    + " was answered with " + reply.get("count") + " bytes at 0x"
                    + Long.toHexString(reply.get("offset")) + " of region " + reply.get("region") + " and "
                    + reply.trailing().byteSize() + " bytes of data");
        }
        return reply.trailing();
    }

    @Override
    public DmaMapper dmaMapper() {
        return dma.mapper(connection);
    }

    @Override
    public List<AddressRange> usableAddresses() {
        return VfioDma.USUAL_ADDRESSES;
    }

    @Override
    public void reset() throws IOException {
        if (!canReset) {
            throw new DeviceException(name + ": the server's device cannot be reset");
        }
        connection.call(VfioUser.DEVICE_RESET, MemorySegment.NULL, List.of()).closeDescriptors();
    }

    @Override
    public void sawAllOnes() {
        // The reading thread finds out by itself that the server is gone; this store keeps the read.
        allOnesSeen = true;
    }

    @Override
    public void checkPresent() throws DeviceGoneException {
        connection.checkPresent();
    }

    @Override
    public void whenGone(Runnable action) {
        connection.whenGone(action);
    }

    @Override
    public void prepareClose() {
        connection.prepareClose();
    }

    @Override
    public void close() {
        connection.close();
        synchronized (this) {
            regionFiles.values().forEach(Fd::close);
        }
    }

    @Override
    public String toString() {
        return name + (allOnesSeen ? " (has read all ones)" : "");
    }
}
