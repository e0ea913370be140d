package dev.outboard.pci.vfio;

import dev.outboard.driver.DeviceException;
import dev.outboard.linux.Fd;
import dev.outboard.linux.StructView;
import dev.outboard.linux.UnixSocket;
import dev.outboard.memory.DmaAllocator;
import dev.outboard.pci.vfio.VfioUserConnection.Reply;
import dev.outboard.specs.vfiouser.VersionCapabilities;
import dev.outboard.specs.vfiouser.VfioUser;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The first message of a connection: versions, limits, and whether the server's commands come over a socket of their own.
 *
 * @param server what the server said of itself
 * @param twin the socket that the server's commands come over, or null if they come between its replies
 */
record VfioUserVersion(VersionCapabilities server, @Nullable UnixSocket twin) {
    private static final VersionCapabilities OURS = new VersionCapabilities(
            UnixSocket.MAXIMUM_DESCRIPTORS,
            VfioUser.DEFAULT_MAX_DATA_XFER_SIZE,
            VfioUser.DEFAULT_MAX_DMA_MAPS,
            VfioUser.DEFAULT_PAGE_SIZES,
            false,
            true,
            VersionCapabilities.NO_INDEX);

    /** How many descriptors go with one message. */
    int descriptors() {
        return (int) Math.min(server.maxMsgFds(), UnixSocket.MAXIMUM_DESCRIPTORS);
    }

    /**
     * Agrees on a version.
     *
     * @param name the device's address, for messages
     * @param connection fresh
     * @return what was agreed on
     * @throws DeviceException if the server speaks another version, or does not speak vfio-user
     */
    static VfioUserVersion negotiate(String name, VfioUserConnection connection) throws DeviceException {
        byte[] json = OURS.toBytes();
        StructView request = VfioUserMessages.zeroed(VfioUser.VERSION_MESSAGE, json.length)
                .set("major", VfioUser.VERSION_MAJOR)
                .set("minor", VfioUser.VERSION_MINOR);
        request.trailing().copyFrom(MemorySegment.ofArray(json));
        Reply reply;
        try {
            reply = connection.call(VfioUser.VERSION, request.segment(), List.of());
        } catch (DeviceException e) {
            throw new DeviceException(
                    name + ": who listens there is no vfio-user server of version " + VfioUser.VERSION_MAJOR + "."
                            + VfioUser.VERSION_MINOR + ", or serves another client (" + e.getMessage() + ")",
                    e);
        }
        List<Fd> descriptors = new ArrayList<>(reply.descriptors());
        try {
            VersionCapabilities server = check(name, reply.body());
            return new VfioUserVersion(server, server.twinSocket() ? takeTwin(name, server, descriptors) : null);
        } finally {
            descriptors.forEach(Fd::close);
        }
    }

    private static VersionCapabilities check(String name, MemorySegment body) throws DeviceException {
        if (body.byteSize() < VfioUser.VERSION_MESSAGE.byteSize()) {
            throw new DeviceException(name + ": who listens there is no vfio-user server: it answered VERSION with "
                    + body.byteSize() + " bytes");
        }
        StructView version = VfioUser.VERSION_MESSAGE.view(body);
        if (version.get("major") != VfioUser.VERSION_MAJOR || version.get("minor") > VfioUser.VERSION_MINOR) {
            throw new DeviceException(name + ": the server speaks vfio-user " + version.get("major") + "."
                    + version.get("minor") + ", not " + VfioUser.VERSION_MAJOR + "." + VfioUser.VERSION_MINOR);
        }
        VersionCapabilities server;
        try {
            server = VersionCapabilities.parse(version.trailing().toArray(ValueLayout.JAVA_BYTE));
        } catch (IllegalArgumentException e) {
            throw new DeviceException(name + ": the server's capabilities make no sense: " + e.getMessage(), e);
        }
        if (Long.lowestOneBit(server.pageSizes()) > DmaAllocator.CHUNK_BYTES) {
            throw new DeviceException(name + ": the server maps memory in pages of "
                    + Long.lowestOneBit(server.pageSizes()) + " bytes, there are none larger than "
                    + DmaAllocator.CHUNK_BYTES);
        }
        return server;
    }

    /** Without that socket the server's commands would never be answered. */
    private static UnixSocket takeTwin(String name, VersionCapabilities server, List<Fd> descriptors)
            throws DeviceException {
        long index = server.twinSocketIndex();
        if (index == VersionCapabilities.NO_INDEX || index >= descriptors.size()) {
            throw new DeviceException(
                    name + ": the server wants to send its commands over a socket of their own, and" + " sent none");
        }
        return UnixSocket.of(descriptors.remove((int) index));
    }
}
