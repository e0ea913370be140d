package dev.outboard.pci.vfio;

import static dev.outboard.specs.vfiouser.VfioUser.REGION_ACCESS_MESSAGE;

import dev.outboard.driver.DeviceException;
import dev.outboard.linux.Struct;
import dev.outboard.linux.StructView;
import dev.outboard.pci.vfio.VfioUserConnection.Reply;
import dev.outboard.specs.vfiouser.VfioUser;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** Commands whose replies are checked: structures of fixed size, and accesses of registers. */
final class VfioUserMessages {
    private final String name;
    private final VfioUserConnection connection;
    private volatile long maxDataXferSize = VfioUser.DEFAULT_MAX_DATA_XFER_SIZE;

    VfioUserMessages(String name, VfioUserConnection connection) {
        this.name = name;
        this.connection = connection;
    }

    /** Says how much data the server takes and sends with one message. */
    void limitData(long bytes) {
        maxDataXferSize = bytes;
    }

    /** A structure to send, and room for what follows it. */
    static StructView zeroed(Struct struct, long trailingBytes) {
        return struct.view(MemorySegment.ofArray(new byte[(int) (struct.byteSize() + trailingBytes)]));
    }

    /** Sends a command whose reply is a structure of fixed size, without descriptors. */
    StructView ask(int command, StructView request, Struct replied) throws DeviceException {
        Reply reply = connection.call(command, request.segment(), List.of());
        reply.closeDescriptors();
        if (reply.body().byteSize() < replied.byteSize()) {
            throw nonsense(VfioUser.commandName(command) + " was answered with "
                    + reply.body().byteSize() + " bytes, " + replied.byteSize() + " are needed");
        }
        return replied.view(reply.body());
    }

    /** Ends the connection, since the server said what cannot be. */
    DeviceException nonsense(String what) {
        DeviceException violation = new DeviceException(name + ": " + what);
        connection.fail(violation);
        return violation;
    }

    /** Reads a register. */
    long read(RegionInfo region, long offset, int widthBytes) {
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

    /** Writes a register. */
    void write(RegionInfo region, long offset, int widthBytes, long value) {
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

    private StructView access(RegionInfo region, long offset, int widthBytes, int dataBytes) throws DeviceException {
        if (widthBytes > maxDataXferSize) {
            // Two accesses of half the width are another thing to a device than one.
            throw new DeviceException(name + ": the server transfers at most " + maxDataXferSize
                    + " bytes at a time; use narrower accesses than " + widthBytes + " bytes");
        }
        return zeroed(REGION_ACCESS_MESSAGE, dataBytes)
                .set("offset", offset)
                .set("region", region.index())
                .set("count", widthBytes);
    }

    /**
     * Sends a region access, and checks that the reply is to just this one. To a write, the first versions of the protocol
     * have it say that no bytes were transferred.
     */
    private MemorySegment transfer(int command, StructView request, int replyDataBytes) throws DeviceException {
        StructView reply = ask(command, request, REGION_ACCESS_MESSAGE);
        if (reply.get("offset") != request.get("offset")
                || reply.get("region") != request.get("region")
                || !(reply.get("count") == request.get("count") || (replyDataBytes == 0 && reply.get("count") == 0))
                || reply.trailing().byteSize() != replyDataBytes) {
            throw nonsense(VfioUser.commandName(command) + " of " + request.get("count") + " bytes at 0x"
                    + Long.toHexString(request.get("offset")) + " of region " + request.get("region")
                    + " was answered with " + reply.get("count") + " bytes at 0x"
                    + Long.toHexString(reply.get("offset")) + " of region " + reply.get("region") + " and "
                    + reply.trailing().byteSize() + " bytes of data");
        }
        return reply.trailing();
    }
}
