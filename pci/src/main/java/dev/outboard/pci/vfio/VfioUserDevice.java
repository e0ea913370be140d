package dev.outboard.pci.vfio;

import static dev.outboard.linux.uapi.Vfio.IRQ_INFO;
import static dev.outboard.linux.uapi.Vfio.IRQ_SET;
import static dev.outboard.linux.uapi.Vfio.REGION_INFO;
import static dev.outboard.specs.vfiouser.VfioUser.DEVICE_INFO_MESSAGE;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.linux.DevicePages;
import dev.outboard.linux.Fd;
import dev.outboard.linux.StructView;
import dev.outboard.linux.UnixSocket;
import dev.outboard.linux.uapi.Vfio;
import dev.outboard.memory.DmaAllocator.AddressRange;
import dev.outboard.memory.DmaMapper;
import dev.outboard.pci.vfio.VfioUserConnection.Reply;
import dev.outboard.specs.vfiouser.VfioUser;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A device that another process serves over a Unix socket, in the protocol vfio-user. */
final class VfioUserDevice implements VfioDevice {
    /** How large a description of a region may be, capabilities included. */
    private static final long REGION_INFO_BYTES = 4096;

    private static final long LARGEST_REGION_INFO_BYTES = 64 << 10;

    private final String name;
    private final VfioUserDma dma = new VfioUserDma();
    private final VfioUserConnection connection;
    private final VfioUserMessages messages;
    private final Map<Integer, Fd> regionFiles = new HashMap<>();
    private final VfioUserVersion agreed;
    private long regions;
    private long irqs;
    private boolean canReset;
    /** Null if the server cannot tell anything. */
    private final @Nullable VfioEvents events;

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
        messages = new VfioUserMessages(name, connection);
        connection.start();
        try {
            agreed = VfioUserVersion.negotiate(name, connection);
            if (agreed.twin() != null) {
                connection.addCommandSocket(agreed.twin());
            }
            messages.limitData(agreed.server().maxDataXferSize());
            StructView request =
                    VfioUserMessages.zeroed(DEVICE_INFO_MESSAGE, 0).set("argsz", DEVICE_INFO_MESSAGE.byteSize());
            StructView info = messages.ask(VfioUser.DEVICE_GET_INFO, request, DEVICE_INFO_MESSAGE);
            if ((info.get("flags") & Vfio.VFIO_DEVICE_FLAGS_PCI) == 0) {
                throw new DeviceException(name + ": the server's device is no PCI device");
            }
            canReset = (info.get("flags") & Vfio.VFIO_DEVICE_FLAGS_RESET) != 0;
            regions = info.get("num_regions");
            irqs = info.get("num_irqs");
            events = listen();
        } catch (IOException | RuntimeException e) {
            connection.close();
            throw e;
        }
    }

    /** A server that takes no descriptors, or refuses these, tells of nothing but its end. */
    private @Nullable VfioEvents listen() throws IOException {
        boolean canTell = irqInfo(Vfio.VFIO_PCI_REQ_IRQ_INDEX).count() > 0
                || irqInfo(Vfio.VFIO_PCI_ERR_IRQ_INDEX).count() > 0;
        if (!canTell || agreed.descriptors() == 0) {
            return null;
        }
        try {
            return new VfioEvents(name, this, "its server");
        } catch (DeviceException refused) {
            connection.checkPresent();
            return null;
        }
    }

    @Override
    public synchronized RegionInfo regionInfo(int index) throws IOException {
        if (index >= regions) {
            return new RegionInfo(index, 0, 0, 0, List.of());
        }
        long expected = REGION_INFO_BYTES;
        while (true) {
            StructView request = VfioUserMessages.zeroed(REGION_INFO, 0)
                    .set("argsz", expected)
                    .set("index", index);
            Reply reply = connection.call(VfioUser.DEVICE_GET_REGION_INFO, request.segment(), List.of());
            MemorySegment body = reply.body();
            long needed = body.byteSize() < REGION_INFO.byteSize()
                    ? 0
                    : REGION_INFO.view(body).get("argsz");
            if (needed > expected) {
                reply.closeDescriptors();
                if (needed > LARGEST_REGION_INFO_BYTES) {
                    throw messages.nonsense("region " + index + ": its description cannot need " + needed + " bytes");
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
                    throw messages.nonsense("region " + index + " has a mappable area beyond the end of its file of "
                            + fileBytes + " bytes");
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
    public synchronized DevicePages map(RegionInfo region, RegionInfo.Area area) throws IOException {
        Fd file = regionFiles.get(region.index());
        if (file == null) {
            throw new DeviceException(name + ": region " + region.index() + " cannot be mapped");
        }
        return DevicePages.map(file, region.fileOffset() + area.offset(), area.sizeBytes(), true);
    }

    @Override
    public IrqInfo irqInfo(int index) throws IOException {
        if (index >= irqs) {
            return IrqInfo.NONE;
        }
        StructView request = VfioUserMessages.zeroed(IRQ_INFO, 0)
                .set("argsz", IRQ_INFO.byteSize())
                .set("index", index);
        StructView info;
        try {
            info = messages.ask(VfioUser.DEVICE_GET_IRQ_INFO, request, IRQ_INFO);
        } catch (DeviceException refused) {
            // Some servers refuse to tell of interrupts that they do not have.
            connection.checkPresent();
            return IrqInfo.NONE;
        }
        if (info.get("index") != index) {
            throw messages.nonsense("asked for interrupt index " + index + ", it answered for " + info.get("index"));
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
        int most = agreed.descriptors();
        if (most == 0) {
            throw new DeviceException(name + ": the server takes no descriptors, so it cannot interrupt; poll instead");
        }
        for (int start = 0; start < eventFds.size(); start += most) {
            int end = Math.min(eventFds.size(), start + most);
            setIrqs(flags, index, start, end - start, eventFds.subList(start, end));
        }
    }

    private void setIrqs(int flags, int index, int start, int count, List<Fd> eventFds) throws IOException {
        StructView request = VfioUserMessages.zeroed(IRQ_SET, 0)
                .set("argsz", IRQ_SET.byteSize())
                .set("flags", flags)
                .set("index", index)
                .set("start", start)
                .set("count", count);
        connection.call(VfioUser.DEVICE_SET_IRQS, request.segment(), eventFds).closeDescriptors();
    }

    @Override
    public long read(RegionInfo region, long offset, int widthBytes) {
        return messages.read(region, offset, widthBytes);
    }

    @Override
    public void write(RegionInfo region, long offset, int widthBytes, long value) {
        messages.write(region, offset, widthBytes, value);
    }

    @Override
    public DmaMapper dmaMapper() {
        return dma.mapper(connection, agreed);
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
        if (events != null) {
            events.checkPresent();
        }
    }

    @Override
    public void whenGone(Runnable action) {
        connection.whenGone(action);
        if (events != null) {
            events.whenGone(action);
        }
    }

    @Override
    public void prepareClose() {
        connection.prepareClose();
    }

    @Override
    public void close() {
        if (events != null) {
            events.close();
        }
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
