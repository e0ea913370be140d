package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.outboard.emulation.TestClient;
import dev.outboard.linux.EventFd;
import dev.outboard.linux.Fd;
import dev.outboard.linux.Mman;
import dev.outboard.linux.uapi.Vfio;
import dev.outboard.memory.Register;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.vfiouser.VfioUser;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Queue;

/** As much of an NVMe driver as it takes to see what the controller does: one command at a time, wrong ones too. */
final class TestDriver implements AutoCloseable {
    static final long MEMORY = 0x1_0000_0000L;
    static final int MEMORY_BYTES = 16 << 20;
    static final int ADMIN_ENTRIES = 8;
    static final int QUEUE_ENTRIES = 4;
    /** Where data goes, from here to the end of the memory. */
    static final long DATA = MEMORY + 0x100000;

    static final int READ_WRITE = VfioUser.DMA_MAP_READ | VfioUser.DMA_MAP_WRITE;
    private static final long TIMEOUT_NANOS = 10_000_000_000L;
    private static final VarHandle WORD = JAVA_INT.varHandle();

    final TestClient client;
    final MemorySegment memory;
    private final Fd file;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment doorbells;
    private final int stride;
    private final Queue<Integer> pendingIds = new ArrayDeque<>();
    private boolean doorbellsByMessage;
    private long shadowDoorbells;
    private int nextId = 1;

    /** A queue pair, as the driver sees it. */
    static final class Pair {
        final int id;
        final long submission;
        final long completion;
        final int entries;
        int tail;
        int head;
        int phase = 1;

        Pair(int id, int entries) {
            this.id = id;
            this.entries = entries;
            submission = MEMORY + id * 0x2000L;
            completion = submission + 0x1000;
        }
    }

    /** What came back. */
    record Done(int status, long result64, int commandId, int submissionHead, int submissionId) {
        int result() {
            return (int) result64;
        }
    }

    TestDriver(Path socket) throws IOException {
        this(socket, true);
    }

    /** A driver that shares its memory, or lets the controller ask for it by messages. */
    TestDriver(Path socket, boolean shares) throws IOException {
        client = TestClient.negotiated(socket);
        file = Fd.memfd("guest", MEMORY_BYTES);
        int protection = Mman.PROT_READ | Mman.PROT_WRITE;
        memory = file.mmap(0, MEMORY_BYTES, protection, Mman.MAP_SHARED, arena);
        var info = client.call(
                VfioUser.DEVICE_GET_REGION_INFO,
                TestClient.buffer(32).putInt(64).putInt(0).putInt(0));
        try (Fd bar = info.descriptors().getFirst()) {
            doorbells = bar.mmap(
                    NvmeRegisters.DOORBELLS,
                    bar.regularFileBytes() - NvmeRegisters.DOORBELLS,
                    protection,
                    Mman.MAP_SHARED,
                    arena);
        }
        stride = (int) NvmeRegisters.CAP_DSTRD.get(register(NvmeRegisters.CAP));
        if (shares) {
            map(file);
        } else {
            map();
            client.answerFrom(memory, MEMORY);
        }
        busMaster(true);
    }

    void busMaster(boolean on) throws IOException {
        client.write(Vfio.VFIO_PCI_CONFIG_REGION_INDEX, 4, 2, on ? 6 : 2);
    }

    private void map(Fd... shared) throws IOException {
        if (client.map(MEMORY, MEMORY_BYTES, READ_WRITE, 0, shared) != 0) {
            throw new IOException("the memory was refused");
        }
    }

    Fd file() {
        return file;
    }

    void ringByMessage() {
        doorbellsByMessage = true;
    }

    /** Rings the doorbells of I/O queues in memory at an address; 0 is at the controller again. */
    void shadow(long address) {
        shadowDoorbells = address;
    }

    long register(Register register) throws IOException {
        return client.read(0, register.offset(), register.widthBits() / Byte.SIZE);
    }

    void register(Register register, long value) throws IOException {
        client.write(0, register.offset(), register.widthBits() / Byte.SIZE, value);
    }

    /** Enables the controller; returns its admin queue pair. */
    Pair enable() throws IOException {
        return enable(0);
    }

    void disable() throws IOException {
        register(NvmeRegisters.CC, 0x460000);
    }

    /** Enables the controller with more bits in CC; returns its admin queue pair. */
    Pair enable(int configuration) throws IOException {
        Pair admin = new Pair(0, ADMIN_ENTRIES);
        memory.asSlice(0, 0x2000).fill((byte) 0);
        register(
                NvmeRegisters.AQA,
                NvmeRegisters.AQA_ASQS.of(ADMIN_ENTRIES - 1) | NvmeRegisters.AQA_ACQS.of(ADMIN_ENTRIES - 1));
        register(NvmeRegisters.ASQ, admin.submission);
        register(NvmeRegisters.ACQ, admin.completion);
        register(NvmeRegisters.CC, 0x460001 | configuration);
        return admin;
    }

    /** Creates an I/O queue pair. */
    Pair createPair(Pair admin, int id, int flags) throws IOException {
        return createPair(admin, id, flags, 0);
    }

    /** Creates an I/O queue pair with a priority. */
    Pair createPair(Pair admin, int id, int flags, int priority) throws IOException {
        Pair pair = new Pair(id, QUEUE_ENTRIES);
        memory.asSlice(pair.submission - MEMORY, 0x2000).fill((byte) 0);
        int size = (QUEUE_ENTRIES - 1) << 16 | id;
        check(execute(
                admin,
                new Command(Opcode.CREATE_IO_COMPLETION_QUEUE)
                        .prp1(pair.completion)
                        .dwords(size, flags)));
        check(execute(
                admin,
                new Command(Opcode.CREATE_IO_SUBMISSION_QUEUE)
                        .prp1(pair.submission)
                        .dwords(size, id << 16 | priority << 1 | 1)));
        return pair;
    }

    private static void check(Done done) throws IOException {
        if (done.status() != 0) {
            throw new IOException("status 0x" + Integer.toHexString(done.status()));
        }
    }

    /** A command to be filled in. */
    static final class Command {
        final int[] words = new int[16];

        Command(int opcode) {
            words[0] = opcode;
        }

        Command namespace(int id) {
            words[1] = id;
            return this;
        }

        Command flags(int bits) {
            words[0] |= bits;
            return this;
        }

        Command prp1(long address) {
            words[6] = (int) address;
            words[7] = (int) (address >>> 32);
            return this;
        }

        Command prp2(long address) {
            words[8] = (int) address;
            words[9] = (int) (address >>> 32);
            return this;
        }

        Command metadata(long address) {
            words[4] = (int) address;
            words[5] = (int) (address >>> 32);
            return this;
        }

        /** Words from dword 10 on. */
        Command dwords(int... values) {
            System.arraycopy(values, 0, words, 10, values.length);
            return this;
        }

        /** One word, by its number. */
        Command dword(int number, int value) {
            words[number] = value;
            return this;
        }

        Command blocks(long first, int count) {
            return namespace(1).dwords((int) first, (int) (first >>> 32), count - 1);
        }
    }

    static Command read(long first, int count) {
        return new Command(Opcode.READ).blocks(first, count);
    }

    static Command write(long first, int count) {
        return new Command(Opcode.WRITE).blocks(first, count);
    }

    int submit(Pair pair, Command command) throws IOException {
        int id = put(pair, command);
        ringTail(pair.id, pair.tail);
        return id;
    }

    /** Writes a command without ringing; returns its identifier. */
    int put(Pair pair, Command command) {
        int id = nextId++ & 0xffff;
        long at = pair.submission - MEMORY + pair.tail * 64L;
        for (int i = 0; i < command.words.length; i++) {
            memory.set(JAVA_INT, at + i * 4L, command.words[i]);
        }
        memory.set(JAVA_INT, at, command.words[0] | id << 16);
        pair.tail = (pair.tail + 1) % pair.entries;
        return id;
    }

    void ringTail(int queue, int value) throws IOException {
        ring(NvmeRegisters.submissionTailDoorbell(queue, stride), value);
    }

    void ringHead(int queue, int value) throws IOException {
        ring(NvmeRegisters.completionHeadDoorbell(queue, stride), value);
    }

    private void ring(long doorbell, int value) throws IOException {
        if (shadowDoorbells != 0 && doorbell >= NvmeRegisters.submissionTailDoorbell(1, stride)) {
            WORD.setVolatile(memory, shadowDoorbells - MEMORY + doorbell, value);
        } else if (doorbellsByMessage) {
            client.write(0, NvmeRegisters.DOORBELLS + doorbell, 4, value);
        } else {
            WORD.setVolatile(doorbells, doorbell, value);
        }
    }

    Done execute(Pair pair, Command command) throws IOException {
        pendingIds.add(submit(pair, command));
        Done done = await(pair);
        if (done.commandId() != pendingIds.remove()) {
            throw new IOException("another command was completed");
        }
        return done;
    }

    boolean isDone(Pair pair) {
        int dword3 = (int) WORD.getVolatile(memory, pair.completion - MEMORY + pair.head * 16L + 12);
        return (dword3 >>> 16 & 1) == pair.phase;
    }

    Done await(Pair pair) throws IOException {
        long deadline = System.nanoTime() + TIMEOUT_NANOS;
        while (!isDone(pair)) {
            if (System.nanoTime() > deadline) {
                throw new IOException("no completion came");
            }
            client.serve();
            Thread.onSpinWait();
        }
        long at = pair.completion - MEMORY + pair.head * 16L;
        long word = memory.get(JAVA_LONG, at + 8);
        Done done = new Done(
                (int) (word >>> 49),
                memory.get(JAVA_LONG, at),
                (int) (word >>> 32) & 0xffff,
                (int) word & 0xffff,
                (int) (word >>> 16) & 0xffff);
        if (++pair.head == pair.entries) {
            pair.head = 0;
            pair.phase ^= 1;
        }
        ringHead(pair.id, pair.head);
        return done;
    }

    /** The memory at a device address. */
    MemorySegment at(long address, long size) {
        return memory.asSlice(address - MEMORY, size);
    }

    void connect(int vector, EventFd event) throws IOException {
        int flags = Vfio.VFIO_IRQ_SET_DATA_EVENTFD | Vfio.VFIO_IRQ_SET_ACTION_TRIGGER;
        if (client.setIrqs(flags, Vfio.VFIO_PCI_MSIX_IRQ_INDEX, vector, 1, new byte[0], event.fd()) != 0) {
            throw new IOException("the eventfd was refused");
        }
    }

    @Override
    public void close() {
        client.close();
        file.close();
        arena.close();
    }
}
