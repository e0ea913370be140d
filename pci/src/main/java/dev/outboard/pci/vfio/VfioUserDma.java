package dev.outboard.pci.vfio;

import dev.outboard.driver.DeviceException;
import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.StructView;
import dev.outboard.memory.DmaMapper;
import dev.outboard.specs.vfiouser.VfioUser;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The memory that a vfio-user server may reach. A server that does not map it asks for it by messages, which are answered
 * here.
 */
final class VfioUserDma implements VfioUserConnection.ServerCommands {
    private static final long HEAD_BYTES = VfioUser.DMA_ACCESS_MESSAGE.byteSize();

    private final TreeMap<Long, MemorySegment> mapped = new TreeMap<>(Long::compareUnsigned);

    /**
     * Maps memory for the server at the other end of a connection. A server that takes no descriptors has to ask for all
     * of it.
     */
    DmaMapper mapper(VfioUserConnection connection, VfioUserVersion agreed) {
        return new DmaMapper() {
            @Override
            public void map(Fd file, MemorySegment segment, long deviceAddress) throws IOException {
                StructView request = VfioUser.DMA_MAP_MESSAGE
                        .view(MemorySegment.ofArray(new byte[(int) VfioUser.DMA_MAP_MESSAGE.byteSize()]))
                        .set("argsz", VfioUser.DMA_MAP_MESSAGE.byteSize())
                        .set("flags", VfioUser.DMA_MAP_READ | VfioUser.DMA_MAP_WRITE)
                        .set("addr", deviceAddress)
                        .set("size", segment.byteSize());
                // First here: the server may use it before its reply is seen.
                add(deviceAddress, segment, agreed.server().maxDmaMaps());
                List<Fd> files = agreed.descriptors() > 0 ? List.of(file) : List.of();
                try {
                    connection.call(VfioUser.DMA_MAP, request.segment(), files).closeDescriptors();
                } catch (DeviceException e) {
                    remove(deviceAddress);
                    throw e;
                }
            }

            @Override
            public void unmap(long deviceAddress, long sizeBytes) {
                remove(deviceAddress);
                StructView request = VfioUser.DMA_UNMAP_MESSAGE
                        .view(MemorySegment.ofArray(new byte[(int) VfioUser.DMA_UNMAP_MESSAGE.byteSize()]))
                        .set("argsz", VfioUser.DMA_UNMAP_MESSAGE.byteSize())
                        .set("addr", deviceAddress)
                        .set("size", sizeBytes);
                try {
                    connection
                            .call(VfioUser.DMA_UNMAP, request.segment(), List.of())
                            .closeDescriptors();
                } catch (DeviceException e) {
                    // Memory that the server still uses must never serve another: end the connection.
                    connection.fail(e);
                }
            }
        };
    }

    private synchronized void add(long deviceAddress, MemorySegment segment, long most) throws DeviceException {
        if (mapped.size() >= most) {
            throw new DeviceException("the server takes " + most
                    + " DMA maps at a time, and has them; allocate fewer and larger pieces of DMA memory");
        }
        mapped.put(deviceAddress, segment);
    }

    private synchronized void remove(long deviceAddress) {
        mapped.remove(deviceAddress);
    }

    // Synchronized for the whole copy: the memory may be unmapped only when nobody copies from it.
    @Override
    public synchronized MemorySegment answer(int command, MemorySegment body) throws LinuxException, DeviceException {
        if (command != VfioUser.DMA_READ && command != VfioUser.DMA_WRITE) {
            throw new DeviceException(
                    "the server sent the command " + VfioUser.commandName(command) + ", which is none of a server's");
        }
        if (body.byteSize() < HEAD_BYTES) {
            throw new DeviceException("the server sent a " + VfioUser.commandName(command) + " that is cut off");
        }
        StructView access = VfioUser.DMA_ACCESS_MESSAGE.view(body);
        long count = access.get("count");
        if (count < 0 || count > VfioUser.DEFAULT_MAX_DATA_XFER_SIZE) {
            throw new DeviceException("the server wants " + Long.toUnsignedString(count) + " bytes by one "
                    + VfioUser.commandName(command) + "; at most " + VfioUser.DEFAULT_MAX_DATA_XFER_SIZE
                    + " were agreed on");
        }
        if (command == VfioUser.DMA_WRITE) {
            if (body.byteSize() != HEAD_BYTES + count) {
                throw new DeviceException("the server sent a DMA_WRITE of " + count + " bytes that carries "
                        + (body.byteSize() - HEAD_BYTES));
            }
            find(access.get("addr"), count).copyFrom(body.asSlice(HEAD_BYTES));
            return body.asSlice(0, HEAD_BYTES);
        }
        MemorySegment reply = MemorySegment.ofArray(new byte[(int) (HEAD_BYTES + count)]);
        reply.copyFrom(body.asSlice(0, HEAD_BYTES));
        reply.asSlice(HEAD_BYTES).copyFrom(find(access.get("addr"), count));
        return reply;
    }

    private MemorySegment find(long address, long count) throws LinuxException {
        Map.Entry<Long, MemorySegment> entry = mapped.floorEntry(address);
        if (entry != null) {
            long offset = address - entry.getKey();
            long size = entry.getValue().byteSize();
            if (offset >= 0 && offset <= size && count <= size - offset) {
                return entry.getValue().asSlice(offset, count);
            }
        }
        throw new LinuxException(
                "DMA access", "0x" + Long.toHexString(address), Errno.EFAULT, "nothing is mapped there");
    }
}
