package dev.outboard.nvme;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.Interrupt;
import dev.outboard.linux.Fd;
import dev.outboard.memory.DmaAllocator;
import dev.outboard.memory.DmaMapper;
import dev.outboard.memory.Register;
import dev.outboard.memory.RegisterAccess;
import dev.outboard.memory.Registers;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.nvme.CompletionEntry;
import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * A controller that lies and breaks on purpose, within a call of the driver, so that every fault comes exactly when it
 * shall. Fields say how; the defaults behave. Several threads may call it, one at a time.
 */
class FakeController implements PciFunction {
    private static final int BAR_BYTES = 0x2000;
    private static final int CONFIGURATION_BYTES = 0x100;
    private static final int STORAGE = 0x01;
    private static final int NON_VOLATILE_MEMORY = 0x08;
    /** Three of each kind, less one: what set features answers to the number of queues. */
    private static final int IO_QUEUES = 2 << 16 | 2;

    long capabilities = NvmeRegisters.CAP_MQES.of(63) | NvmeRegisters.CAP_TO.of(1) | NvmeRegisters.CAP_CSS.of(1);
    boolean becomesReady = true;
    /** Until it is disabled. */
    boolean fatal;

    volatile boolean gone;
    /** Whether what is written to registers raises SIGBUS. */
    boolean faults;
    /** Called when the controller is enabled or disabled, with which. */
    Consumer<Boolean> whenSwitched = enabled -> {};

    long blocks = 1024;
    int blockShift = 9;
    int[] namespaceIds = {1};
    /** Whether an abort is followed by the completion of what it aborts. */
    boolean aborts;
    /** What to do with an I/O command instead of completing it. */
    Fault ioFault = completion -> {};
    /** What an admin command says: its data, and dword 0 of its completion. */
    Answer answer = (opcode, dword10, data) -> 0;

    /** Fields of its identify controller, by their names. */
    final Map<String, Long> identity = new HashMap<>();
    /** Its PCI ids: the vendor's, and the device's. */
    int vendorId;

    int deviceId;
    long version = 0x0002_0000;
    /** Status must not be read for so long after CC.EN was cleared, else it is gone. */
    long busyNanos;
    /** The reads and writes of I/O queues, as {@code "read 8+2"}; others by their names. */
    final List<String> ioLog = new CopyOnWriteArrayList<>();
    /** Whether identify answers nonsense to all but the oldest questions. */
    boolean answersNonsense;
    /** The vendor's stripe size, as a power of two in pages. */
    int stripe;
    /** How many interrupt vectors it has, of which none ever fires. */
    int vectors;
    /** For so long after its creation a queue loses commands. */
    long deafNanos;
    /** How often the tail doorbell of an I/O queue was written. */
    int tailWrites;

    /** Dword 11 of the commands that created submission queues and set features. */
    final List<Integer> settings = new CopyOnWriteArrayList<>();

    /** What set features answers to a feature; success where it is not said. */
    final Map<Integer, Integer> featureStatus = new HashMap<>();
    /** How the host memory buffer was set: dword 11, pages, and the list's addresses and pages, in turn. */
    final List<List<Long>> hostMemory = new CopyOnWriteArrayList<>();
    /** Whether it does not want back what it had before a reset. */
    boolean refusesReturnedMemory;
    /** So much memory there is for all mappings together. */
    long memoryLimitBytes = Long.MAX_VALUE;

    private long disabledNanos;
    private long createdNanos;
    private long shadowDoorbells;
    private long eventIndexes;

    /** The admin command that never completes; -1 for none. */
    int silent = -1;

    /** Answers an admin command. */
    interface Answer {
        /** Fills the data, if there are some; returns dword 0 of the completion. */
        int fill(int opcode, int dword10, MemorySegment data);
    }

    /** Changes a completion before the driver sees it. */
    interface Fault {
        void apply(Completion completion);
    }

    /** A completion that is about to be posted. */
    static final class Completion {
        int commandId;
        int result;
        int status;
        int queueId;
        int queueHead;
        boolean lost;
        boolean twice;
    }

    private record Queue(long address, int entries) {}

    private final Map<Integer, Queue> submissionQueues = new HashMap<>();
    private final Map<Integer, Queue> completionQueues = new HashMap<>();
    private final Map<Integer, Integer> heads = new HashMap<>();
    private final Map<Integer, Long> posted = new HashMap<>();
    private final TreeMap<Long, MemorySegment> memory = new TreeMap<>();
    private final Map<Long, Long> registers = new HashMap<>();
    final List<String> log = new CopyOnWriteArrayList<>();
    boolean closed;

    private final DmaAllocator dma = new DmaAllocator(
            new DmaMapper() {
                @Override
                public void map(Fd file, MemorySegment segment, long deviceAddress) throws IOException {
                    long mapped = memory.values().stream()
                            .mapToLong(MemorySegment::byteSize)
                            .sum();
                    if (segment.byteSize() > memoryLimitBytes - mapped) {
                        throw new IOException("no room for " + segment.byteSize() + " bytes");
                    }
                    memory.put(deviceAddress, segment);
                }

                @Override
                public void unmap(long deviceAddress, long sizeBytes) {
                    memory.remove(deviceAddress);
                }
            },
            List.of(new DmaAllocator.AddressRange(0x10_0000_0000L, 0x1f_ffff_ffffL)));

    private final Registers bar = Registers.unmapped(
            "fake BAR 0",
            BAR_BYTES,
            new RegisterAccess() {
                @Override
                public long read(long offset, int widthBytes) {
                    return gone ? -1 : readRegister(offset);
                }

                @Override
                public void write(long offset, int widthBytes, long value) {
                    if (faults) {
                        throw new InternalError("a fault occurred in an unsafe memory access operation");
                    }
                    if (!gone) {
                        writeRegister(offset, value);
                    }
                }
            },
            List.of(),
            () -> {});

    /** Only says what class it is: the rest belongs to the access path. */
    private final Registers configuration = Registers.unmapped(
            "fake configuration space",
            CONFIGURATION_BYTES,
            new RegisterAccess() {
                @Override
                public long read(long offset, int widthBytes) {
                    if (gone) {
                        return -1;
                    }
                    return readConfiguration(offset);
                }

                @Override
                public void write(long offset, int widthBytes, long value) {
                    throw new AssertionError("the driver leaves configuration space to the access path");
                }
            },
            List.of(),
            () -> {});

    /** What a register was written with last. */
    long written(Register register) {
        return registers.getOrDefault(register.offset(), 0L);
    }

    /** What a register that does nothing else reads from now on. */
    void says(Register register, long value) {
        registers.put(register.offset(), value);
    }

    private long readConfiguration(long offset) {
        Map<Long, Integer> known = Map.of(
                PciConfiguration.VENDOR_ID.offset(), vendorId,
                PciConfiguration.DEVICE_ID.offset(), deviceId,
                PciConfiguration.BASE_CLASS.offset(), STORAGE,
                PciConfiguration.SUBCLASS.offset(), NON_VOLATILE_MEMORY);
        return known.getOrDefault(offset, 0);
    }

    /** It starts anew, as after a loss of power. */
    synchronized void restart() {
        registers.clear();
        forgetQueues();
    }

    private void forgetQueues() {
        submissionQueues.clear();
        completionQueues.clear();
        heads.clear();
        posted.clear();
        shadowDoorbells = 0;
    }

    private synchronized long readRegister(long offset) {
        if (offset == NvmeRegisters.CAP.offset()) {
            return capabilities;
        }
        long configuration = registers.getOrDefault(NvmeRegisters.CC.offset(), 0L);
        if (offset == NvmeRegisters.VS.offset()) {
            return version;
        }
        if (offset == NvmeRegisters.CSTS.offset()) {
            gone |= busyNanos != 0 && disabledNanos != 0 && System.nanoTime() - disabledNanos < busyNanos;
            boolean enabled = NvmeRegisters.CC_EN.isSet(configuration);
            return (enabled && becomesReady ? 1 : 0)
                    | (fatal ? 2 : 0)
                    | (NvmeRegisters.CC_SHN.isSet(configuration) ? NvmeRegisters.CSTS_SHST.of(2) : 0);
        }
        return registers.getOrDefault(offset, 0L);
    }

    private synchronized void writeRegister(long offset, long value) {
        registers.put(offset, value);
        if (offset == NvmeRegisters.CC.offset() && !NvmeRegisters.CC_EN.isSet(value)) {
            forgetQueues();
            fatal = false;
            log.add("disabled");
            disabledNanos = System.nanoTime();
        }
        if (offset == NvmeRegisters.CC.offset()) {
            whenSwitched.accept(NvmeRegisters.CC_EN.isSet(value));
        }
        if (offset == NvmeRegisters.ACQ.offset()) {
            long attributes = registers.getOrDefault(NvmeRegisters.AQA.offset(), 0L);
            long submissions = registers.getOrDefault(NvmeRegisters.ASQ.offset(), 0L);
            submissionQueues.put(0, new Queue(submissions, (int) NvmeRegisters.AQA_ASQS.get(attributes) + 1));
            completionQueues.put(0, new Queue(value, (int) NvmeRegisters.AQA_ACQS.get(attributes) + 1));
        }
        long doorbell = (offset - NvmeRegisters.DOORBELLS) / Integer.BYTES;
        if (offset >= NvmeRegisters.DOORBELLS && doorbell % 2 == 0) {
            tailWrites += doorbell == 0 ? 0 : 1;
            run((int) doorbell / 2, (int) value);
        }
    }

    /** Carries out what is in an I/O queue by its shadow doorbell, and asks to be told of what goes beyond an index. */
    void lookAtShadow(int queueId, int eventIndex) {
        long at = NvmeRegisters.submissionTailDoorbell(queueId, 0);
        at(eventIndexes + at, Integer.BYTES).set(ValueLayout.JAVA_INT, 0, eventIndex);
        run(queueId, at(shadowDoorbells + at, Integer.BYTES).get(ValueLayout.JAVA_INT, 0));
    }

    /** Whether the driver has told where its shadow doorbells are since the last reset. */
    boolean isShadowed() {
        return shadowDoorbells != 0;
    }

    private MemorySegment at(long address, long length) {
        Map.Entry<Long, MemorySegment> region = memory.floorEntry(address);
        return region.getValue().asSlice(address - region.getKey(), length);
    }

    private void run(int queueId, int tail) {
        Queue queue = submissionQueues.get(queueId);
        if (queue == null) {
            return;
        }
        int head = heads.getOrDefault(queueId, 0);
        while (head != tail) {
            MemorySegment entry =
                    at(queue.address() + (long) head * SubmissionEntry.SIZE_BYTES, SubmissionEntry.SIZE_BYTES);
            head = (head + 1) % queue.entries();
            heads.put(queueId, head);
            Completion completion = new Completion();
            int word = entry.get(ValueLayout.JAVA_INT, SubmissionEntry.CDW0);
            completion.commandId = (int) SubmissionEntry.COMMAND_ID.get(word);
            completion.queueId = queueId;
            completion.queueHead = head;
            int opcode = (int) SubmissionEntry.OPCODE.get(word);
            if (queueId == 0) {
                completion.result = admin(opcode, entry);
                completion.lost = opcode == silent;
                int feature =
                        (int) SubmissionEntry.FEATURE_ID.get(entry.get(ValueLayout.JAVA_INT, SubmissionEntry.CDW10));
                completion.status = opcode == Opcode.SET_FEATURES ? featureStatus.getOrDefault(feature, 0) : 0;
                if (opcode == Opcode.SET_FEATURES && feature == Feature.HOST_MEMORY_BUFFER && refusesReturnedMemory) {
                    boolean returned = hostMemory.getLast().getFirst() == 3;
                    completion.status = returned ? Status.INVALID_FIELD : 0;
                }
            } else {
                ioLog.add(describe(opcode, entry));
                completion.lost = System.nanoTime() - createdNanos < deafNanos;
                ioFault.apply(completion);
            }
            for (int i = 0; i < (completion.twice ? 2 : 1) && !completion.lost; i++) {
                post(queueId, completion);
            }
        }
    }

    private static String describe(int opcode, MemorySegment entry) {
        if (opcode != Opcode.READ && opcode != Opcode.WRITE) {
            return Opcode.ioName(opcode);
        }
        return Opcode.ioName(opcode) + " " + entry.get(ValueLayout.JAVA_LONG, SubmissionEntry.CDW10) + "+"
                + (SubmissionEntry.NLB.get(entry.get(ValueLayout.JAVA_INT, SubmissionEntry.CDW12)) + 1);
    }

    /** Returns dword 0 of the completion. */
    private int admin(int opcode, MemorySegment entry) {
        log.add(Opcode.adminName(opcode));
        long dword10 = Integer.toUnsignedLong(entry.get(ValueLayout.JAVA_INT, SubmissionEntry.CDW10));
        long prp1 = entry.get(ValueLayout.JAVA_LONG, SubmissionEntry.PRP1);
        int queueId = (int) SubmissionEntry.QUEUE_ID.get(dword10);
        int entries = (int) SubmissionEntry.QUEUE_SIZE.get(dword10) + 1;
        switch (opcode) {
            case Opcode.IDENTIFY ->
                identify(
                        (int) SubmissionEntry.CNS.get(dword10),
                        entry.get(ValueLayout.JAVA_INT, SubmissionEntry.NSID),
                        at(prp1, Identify.SIZE_BYTES).fill((byte) 0));
            case Opcode.CREATE_IO_COMPLETION_QUEUE -> {
                completionQueues.put(queueId, new Queue(prp1, entries));
                posted.remove(queueId);
            }
            case Opcode.CREATE_IO_SUBMISSION_QUEUE -> {
                submissionQueues.put(queueId, new Queue(prp1, entries));
                createdNanos = System.nanoTime();
                heads.remove(queueId);
                settings.add(entry.get(ValueLayout.JAVA_INT, SubmissionEntry.CDW11));
            }
            case Opcode.ABORT -> abort((int) dword10);
            case Opcode.DOORBELL_BUFFER_CONFIG -> {
                shadowDoorbells = prp1;
                eventIndexes = entry.get(ValueLayout.JAVA_LONG, SubmissionEntry.PRP2);
                return 0;
            }
            case Opcode.SET_FEATURES -> {
                if (SubmissionEntry.FEATURE_ID.get(dword10) == Feature.HOST_MEMORY_BUFFER) {
                    hostMemory.add(hostMemory(entry));
                    return 0;
                }
                settings.add(entry.get(ValueLayout.JAVA_INT, SubmissionEntry.CDW11));
                return IO_QUEUES;
            }
            default -> {
                // Succeeds, and does nothing.
            }
        }
        return answer.fill(opcode, (int) dword10, prp1 == 0 ? MemorySegment.NULL : at(prp1, Identify.SIZE_BYTES));
    }

    private List<Long> hostMemory(MemorySegment entry) {
        List<Long> words = new ArrayList<>();
        words.add((long) entry.get(ValueLayout.JAVA_INT, SubmissionEntry.CDW11));
        words.add((long) entry.get(ValueLayout.JAVA_INT, SubmissionEntry.CDW12));
        long list = Integer.toUnsignedLong(entry.get(ValueLayout.JAVA_INT, SubmissionEntry.CDW13))
                | (long) entry.get(ValueLayout.JAVA_INT, SubmissionEntry.CDW14) << Integer.SIZE;
        int count = entry.get(ValueLayout.JAVA_INT, SubmissionEntry.CDW15);
        for (int i = 0; i < 2 * count; i++) {
            words.add(at(list, 2L * count * Long.BYTES).getAtIndex(ValueLayout.JAVA_LONG, i));
        }
        return words;
    }

    private void abort(int dword10) {
        if (aborts) {
            Completion aborted = new Completion();
            aborted.commandId = (int) SubmissionEntry.ABORT_COMMAND_ID.get(dword10);
            aborted.status = Status.ABORT_REQUESTED;
            int queueId = (int) SubmissionEntry.ABORT_QUEUE_ID.get(dword10);
            aborted.queueId = queueId;
            aborted.queueHead = heads.get(queueId);
            post(queueId, aborted);
        }
    }

    private void identify(int cns, int namespaceId, MemorySegment data) {
        if (cns > Identify.CNS_CONTROLLER && answersNonsense) {
            data.fill((byte) 0x77);
        } else if (cns == Identify.CNS_ACTIVE_NAMESPACES) {
            int at = 0;
            for (int id : namespaceIds) {
                if (Integer.compareUnsigned(id, namespaceId) > 0 || namespaceIds.length > 1) {
                    data.setAtIndex(ValueLayout.JAVA_INT, at++, id);
                }
            }
        } else if (cns == Identify.CNS_CONTROLLER) {
            identity.forEach(Identify.CONTROLLER.view(data)::set);
            data.set(ValueLayout.JAVA_BYTE, Identify.CONTROLLER.offset("vs") + 3, (byte) stripe);
        } else if (cns == Identify.CNS_NAMESPACE && Arrays.stream(namespaceIds).anyMatch(id -> id == namespaceId)) {
            Identify.NAMESPACE.view(data).set("nsze", blocks).set("ncap", blocks);
            data.set(ValueLayout.JAVA_INT, Identify.NAMESPACE.offset("lbaf"), blockShift << 16);
        }
    }

    private void post(int queueId, Completion completion) {
        Queue queue = completionQueues.get(queueId);
        long count = posted.merge(queueId, 1L, Long::sum) - 1;
        long phase = 1 - (count / queue.entries()) % 2;
        MemorySegment entry =
                at(queue.address() + count % queue.entries() * CompletionEntry.SIZE_BYTES, CompletionEntry.SIZE_BYTES);
        entry.set(ValueLayout.JAVA_INT, CompletionEntry.DW0, completion.result);
        entry.set(ValueLayout.JAVA_INT, CompletionEntry.DW2, completion.queueHead | completion.queueId << Short.SIZE);
        entry.set(ValueLayout.JAVA_INT, CompletionEntry.DW3, (int)
                (completion.commandId | phase << 16 | (long) completion.status << 17));
    }

    @Override
    public DeviceAddress address() {
        return DeviceAddress.parse("fake:nvme");
    }

    @Override
    public Registers configuration() {
        return configuration;
    }

    @Override
    public Registers bar(int index) {
        return bar;
    }

    @Override
    public DmaAllocator dma() {
        return dma;
    }

    @Override
    public int interruptVectors() {
        return vectors;
    }

    @Override
    public List<Interrupt> enableInterrupts(int count) {
        log.add(count + " vectors");
        return Collections.nCopies(count, new SilentInterrupt());
    }

    @Override
    public void setBusMaster(boolean on) {
        log.add("bus master " + on);
    }

    @Override
    public void reset() {
        log.add("reset");
    }

    @Override
    public void checkPresent() throws DeviceGoneException {
        if (gone) {
            throw new DeviceGoneException(address() + " was unplugged", null);
        }
    }

    @Override
    public void close() {
        closed = true;
        dma.close();
    }
}
