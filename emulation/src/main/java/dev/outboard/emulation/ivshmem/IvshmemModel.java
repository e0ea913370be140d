package dev.outboard.emulation.ivshmem;

import static dev.outboard.specs.ivshmem.IvshmemRegisters.DOORBELL;
import static dev.outboard.specs.ivshmem.IvshmemRegisters.DOORBELL_PEER;
import static dev.outboard.specs.ivshmem.IvshmemRegisters.DOORBELL_VECTOR;
import static dev.outboard.specs.ivshmem.IvshmemRegisters.INTERRUPT_MASK;
import static dev.outboard.specs.ivshmem.IvshmemRegisters.INTERRUPT_STATUS;
import static dev.outboard.specs.ivshmem.IvshmemRegisters.POSITION;

import dev.outboard.driver.DeviceException;
import dev.outboard.emulation.Bar;
import dev.outboard.emulation.PciModel;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Mman;
import dev.outboard.linux.UnixSocket;
import dev.outboard.memory.RegisterAccess;
import dev.outboard.specs.ivshmem.IvshmemRegisters;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * QEMU's device for memory that machines share, ivshmem-plain and ivshmem-doorbell. QEMU, docs/specs/ivshmem-spec.rst. The
 * client maps the memory; only what it rings comes here.
 */
public final class IvshmemModel extends PciModel {
    private static final int SUBSYSTEM_VENDOR_ID = 0x1af4;
    private static final int SUBSYSTEM_ID = 0x1100;
    private static final int OWNER_ONLY = 0600;

    private final Arena arena = Arena.ofShared();
    private final @Nullable IvshmemServer server;
    private final Peers peers;
    private final Fd memory;
    private final long sizeBytes;
    private long mask;
    private long status;

    /**
     * A device that was just reset.
     *
     * @param options what it shall be
     * @throws IOException if the memory cannot be had, or the peers' server does not answer as one
     */
    public IvshmemModel(IvshmemOptions options) throws IOException {
        super(
                new Identity(
                        IvshmemRegisters.VENDOR_ID,
                        IvshmemRegisters.DEVICE_ID,
                        IvshmemRegisters.CLASS_CODE,
                        IvshmemRegisters.REVISION,
                        SUBSYSTEM_VENDOR_ID,
                        SUBSYSTEM_ID),
                new InterruptKinds(false, false, options.vectors(), IvshmemRegisters.MSIX_BAR));
        Path socket = options.peers();
        // The first of several that are told the same socket is the server of all.
        UnixSocket found = socket == null ? null : Peers.find(socket);
        server = socket == null || found != null ? null : IvshmemServer.startUnlessThere(socket, options);
        Peers joined = null;
        Fd opened = null;
        try {
            if (socket == null) {
                joined = Peers.alone(options.vectors());
            } else if (found == null) {
                joined = Peers.of(socket, options.vectors());
            } else {
                joined = Peers.of(found, socket, options.vectors());
            }
            peers = joined;
            opened = memory(options, peers.memory());
            memory = opened;
            sizeBytes = size(opened, options);
            MemorySegment mapped = memory.mmap(0, sizeBytes, Mman.PROT_READ | Mman.PROT_WRITE, Mman.MAP_SHARED, arena);
            addBar(Bar.of(0, IvshmemRegisters.BAR_BYTES, new Bar0()));
            addBar(Bar.ofMemory(IvshmemRegisters.MEMORY_BAR, Bar.Space.MEMORY_64, memory, mapped));
        } catch (IOException e) {
            if (opened != null) {
                opened.close();
            }
            if (joined != null) {
                joined.close();
            }
            if (server != null) {
                server.close();
            }
            arena.close();
            throw e;
        }
    }

    private static Fd memory(IvshmemOptions options, @Nullable Fd ofServer) throws IOException {
        if (ofServer != null) {
            return ofServer.duplicate();
        }
        if (options.memory() == null) {
            return Fd.memfd("outboard-ivshmem", options.sizeBytes());
        }
        Fd file = Fd.open(options.memory().toString(), Fd.O_RDWR | Fd.O_CREAT, OWNER_ONLY);
        try {
            if (file.regularFileBytes() == 0) {
                file.truncate(options.sizeBytes());
            }
            return file;
        } catch (LinuxException e) {
            file.close();
            throw e;
        }
    }

    /** A server's memory is as large as it is; a file may be larger than what is shared of it. */
    private static long size(Fd memory, IvshmemOptions options) throws IOException {
        long there = memory.regularFileBytes();
        if (options.peers() == null && there < options.sizeBytes()) {
            throw new DeviceException(memory.name() + " has " + there + " bytes, and " + options.sizeBytes()
                    + " shall be shared: enlarge it, or share less");
        }
        try {
            IvshmemOptions.checkSize("the server's memory", options.peers() == null ? options.sizeBytes() : there);
        } catch (IllegalArgumentException e) {
            throw new DeviceException(e.getMessage() + ": start the server with another size", e);
        }
        return options.peers() == null ? options.sizeBytes() : there;
    }

    /**
     * Who it is among its peers.
     *
     * @return its id, from 0 to 65535
     */
    public int id() {
        return peers.id();
    }

    @Override
    protected void resetFunction() {
        mask = 0;
        status = 0;
    }

    @Override
    public Fd workDescriptor() {
        return peers.fd();
    }

    @Override
    public int doWork() {
        try {
            return peers.hear(vector -> {
                if (isBusMaster()) {
                    interrupts().raise(vector);
                }
            });
        } catch (LinuxException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void ring(long peer, int vector) {
        try {
            peers.ring(peer, vector);
        } catch (LinuxException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        super.close();
        if (memory.isOpen()) {
            memory.close();
            peers.close();
            if (server != null) {
                server.close();
            }
            arena.close();
        }
    }

    private final class Bar0 implements RegisterAccess {
        @Override
        public long read(long offset, int widthBytes) {
            if (widthBytes != Integer.BYTES) {
                return 0;
            } else if (offset == INTERRUPT_MASK.offset()) {
                return mask;
            } else if (offset == INTERRUPT_STATUS.offset()) {
                return status;
            }
            return offset == POSITION.offset() ? peers.id() : 0;
        }

        @Override
        public void write(long offset, int widthBytes, long value) {
            if (widthBytes != Integer.BYTES) {
                return;
            }
            if (offset == DOORBELL.offset()) {
                ring(DOORBELL_PEER.get(value), (int) DOORBELL_VECTOR.get(value));
            } else if (offset == INTERRUPT_MASK.offset()) {
                mask = value;
            } else if (offset == INTERRUPT_STATUS.offset()) {
                status = value;
            }
        }
    }
}
