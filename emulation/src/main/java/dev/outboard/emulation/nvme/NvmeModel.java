package dev.outboard.emulation.nvme;

import static dev.outboard.specs.nvme.NvmeRegisters.ACQ;
import static dev.outboard.specs.nvme.NvmeRegisters.AQA;
import static dev.outboard.specs.nvme.NvmeRegisters.ASQ;
import static dev.outboard.specs.nvme.NvmeRegisters.CAP;
import static dev.outboard.specs.nvme.NvmeRegisters.CC;
import static dev.outboard.specs.nvme.NvmeRegisters.CMBLOC;
import static dev.outboard.specs.nvme.NvmeRegisters.CMBMSC;
import static dev.outboard.specs.nvme.NvmeRegisters.CMBSTS;
import static dev.outboard.specs.nvme.NvmeRegisters.CMBSZ;
import static dev.outboard.specs.nvme.NvmeRegisters.CRTO;
import static dev.outboard.specs.nvme.NvmeRegisters.CSTS;
import static dev.outboard.specs.nvme.NvmeRegisters.INTMC;
import static dev.outboard.specs.nvme.NvmeRegisters.INTMS;
import static dev.outboard.specs.nvme.NvmeRegisters.NSSR;
import static dev.outboard.specs.nvme.NvmeRegisters.PMRCAP;
import static dev.outboard.specs.nvme.NvmeRegisters.PMRCTL;
import static dev.outboard.specs.nvme.NvmeRegisters.PMRMSCL;
import static dev.outboard.specs.nvme.NvmeRegisters.PMRMSCU;
import static dev.outboard.specs.nvme.NvmeRegisters.PMRSTS;
import static dev.outboard.specs.nvme.NvmeRegisters.VS;

import dev.outboard.emulation.Bar;
import dev.outboard.emulation.DmaSpace;
import dev.outboard.emulation.PciModel;
import dev.outboard.memory.Field;
import dev.outboard.memory.Register;
import dev.outboard.memory.RegisterAccess;
import dev.outboard.specs.nvme.AsynchronousEvent;
import dev.outboard.specs.nvme.CompletionEntry;
import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * An NVMe controller of version 2.0: NVM and zoned namespaces with metadata and protection information, PRPs and SGLs,
 * several I/O queues, MSI-X or INTx. What namespaces hold stays for as long as the model lives (with a file: longer),
 * resets and clients come and go.
 */
public final class NvmeModel extends PciModel {
    static final int VENDOR_ID = 0x1b36;
    static final int VERSION = 0x00020000;
    static final int MAXIMUM_QUEUE_ENTRIES = 4096;
    static final long SMALLEST_BAR_BYTES = 0x4000;

    // The identity of QEMU's controller. Linux ignores the namespace identifiers of that one, which suits: those of two
    // models with the same serial number are the same.
    private static final int DEVICE_ID = 0x0010;
    private static final int CLASS_NVME = 0x010802;
    private static final int REVISION = 1;
    private static final long READY_TIMEOUT_HALF_SECONDS = 20;
    private static final long WEIGHTED_ROUND_ROBIN = 1;
    // Bit 0 is the NVM command set, bit 6 says that there are others.
    private static final long COMMAND_SETS = 0x41;
    private static final long READY_WITH_MEDIA = 1;
    private static final long ALL_COMMAND_SETS = 6;
    // MDTS: 1 MiB, in pages of 4 KiB.
    private static final int MAXIMUM_TRANSFER_SHIFT = 8;
    private static final long MAXIMUM_TRANSFER_BYTES = DmaSpace.PAGE_BYTES << MAXIMUM_TRANSFER_SHIFT;
    private static final long SHUTDOWN_COMPLETE = 2;
    private static final int REGISTER_BYTES = (int) PMRMSCU.offset() + Integer.BYTES;

    private final NvmeOptions options;
    private final Arena arena = Arena.ofShared();
    private final Namespaces namespaces;
    private final Doorbells doorbells;
    private final @Nullable ControllerMemory controllerMemory;
    private final @Nullable PersistentMemory persistentMemory;
    private final @Nullable HostMemory hostMemory;
    private final AsynchronousEvents events = new AsynchronousEvents();
    private final KeepAlive keepAlive = new KeepAlive();
    private final QueueSet queues;
    private final Features features;
    private final FirmwareSlots firmware;
    private final SelfTest selfTest;
    private final Sanitizer sanitizer;
    private final LogPages logs;
    private final AdminCommands admin;
    private final IoCommands io;
    private final int[] registers = new int[REGISTER_BYTES / Integer.BYTES];
    private int interruptMask;
    private boolean enabled;

    /**
     * A controller that was just reset.
     *
     * @param options what it shall be
     * @throws IOException if its file cannot be opened, or there is no memory for it
     */
    public NvmeModel(NvmeOptions options) throws IOException {
        super(
                new Identity(VENDOR_ID, DEVICE_ID, CLASS_NVME, REVISION, VENDOR_ID, DEVICE_ID),
                true,
                options.ioQueues() + 1);
        this.options = options;
        int vectors = interrupts().msixVectors();
        MemorySegment page = arena.allocate(Identify.SIZE_BYTES, Identify.SIZE_BYTES);
        DataPointer data = new DataPointer(dma());
        Statistics statistics = new Statistics();
        ErrorLog errors = new ErrorLog();
        namespaces = new Namespaces(options);
        doorbells = new Doorbells(dma(), options.ioQueues() + 1, options.doorbellStride());
        queues = new QueueSet(options.ioQueues(), dma(), doorbells, interrupts(), events, errors);
        features = new Features(namespaces, data, page, options.ioQueues(), vectors);
        hostMemory = options.hostMemory().isNone() ? null : new HostMemory(options.hostMemory(), dma());
        if (hostMemory != null) {
            features.addHostMemory(hostMemory);
        }
        firmware = new FirmwareSlots(options.firmware(), data, MAXIMUM_TRANSFER_BYTES, this::report);
        logs = new LogPages(data, page, events, statistics, errors, features);
        selfTest = new SelfTest(namespaces, logs::powerOnHours);
        sanitizer = new Sanitizer(namespaces, statistics, selfTest, this::report);

        io = new IoCommands(namespaces, features, data, statistics, MAXIMUM_TRANSFER_BYTES, hostMemory);
        BlockBuffer buffer = new BlockBuffer(data, MAXIMUM_TRANSFER_BYTES, arena);
        new BlockCommands(data, buffer, statistics).addTo(io);
        new RangeCommands(data, buffer, statistics, arena).addTo(io);
        new ReservationCommands(data, features, arena).addTo(io);
        new ZoneCommands(data, buffer, MAXIMUM_TRANSFER_BYTES).addTo(io);

        admin = new AdminCommands(sanitizer);
        IdentifyData identity = new IdentifyData(options, namespaces, firmware, MAXIMUM_TRANSFER_SHIFT);
        new IdentifyCommand(identity, namespaces, data, features, page).addTo(admin);
        new QueueCommands(queues, doorbells, dma(), vectors, features, events, keepAlive).addTo(admin);
        new NamespaceCommands(namespaces, options, data, page, features, selfTest, this::report).addTo(admin, logs);
        new SecurityCommands(data, page).addTo(admin);
        features.addTo(admin);
        firmware.addTo(admin, logs);
        selfTest.addTo(admin, logs);
        sanitizer.addTo(admin, logs);
        logs.addTo(admin, io);

        features.onChange(this::featureChanged);
        long barBytes = Doorbells.barBytes(options.ioQueues() + 1, options.doorbellStride());
        addBar(new Bar(0, barBytes, Bar.Space.MEMORY_64, new Bar0(), doorbells.shared()));
        controllerMemory = options.controllerMemoryBytes() == 0
                ? null
                : new ControllerMemory(dma(), options.controllerMemoryBytes());
        if (controllerMemory != null) {
            addBar(controllerMemory.bar());
        }
        persistentMemory =
                options.persistentRegion().isNone() ? null : new PersistentMemory(dma(), options.persistentRegion());
        if (persistentMemory != null) {
            addBar(persistentMemory.bar());
        }
        resetFunction();
    }

    /**
     * What the controller is.
     *
     * @return the options it was made with
     */
    public NvmeOptions options() {
        return options;
    }

    @Override
    public int doWork() {
        int work = selfTest.work() + sanitizer.work();
        if (!enabled || !isBusMaster()) {
            return work;
        }
        work += queues.serve(admin, io) + queues.completeEvents();
        if (interrupts().isIntxConnected()) {
            interrupts().assertIntx(interruptMask == 0 && queues.wantsIntx());
        }
        boolean isMemoryLost = hostMemory != null && hostMemory.isDamaged();
        if (queues.isBroken() || keepAlive.isOver() || isMemoryLost) {
            fail();
        }
        return work;
    }

    @Override
    public boolean polls() {
        return (enabled && isBusMaster()) || selfTest.isActive() || sanitizer.isActive();
    }

    @Override
    protected void resetFunction() {
        disable();
        Arrays.fill(registers, 0);
        locateControllerMemory();
        if (persistentMemory != null) {
            set(PMRCAP, PersistentMemory.capabilities());
        }
        locatePersistentMemory();
        set(
                CAP,
                NvmeRegisters.CAP_MQES.of(MAXIMUM_QUEUE_ENTRIES - 1)
                        | NvmeRegisters.CAP_CQR.of(1)
                        | NvmeRegisters.CAP_AMS.of(WEIGHTED_ROUND_ROBIN)
                        | NvmeRegisters.CAP_TO.of(READY_TIMEOUT_HALF_SECONDS)
                        | NvmeRegisters.CAP_DSTRD.of(options.doorbellStride())
                        | NvmeRegisters.CAP_NSSRS.of(1)
                        | NvmeRegisters.CAP_CSS.of(COMMAND_SETS)
                        | NvmeRegisters.CAP_PMRS.of(persistentMemory == null ? 0 : 1)
                        | NvmeRegisters.CAP_CMBS.of(controllerMemory == null ? 0 : 1)
                        | NvmeRegisters.CAP_CRMS.of(READY_WITH_MEDIA));
        set(VS, VERSION);
        set(CRTO, NvmeRegisters.CRTO_CRWMT.of(READY_TIMEOUT_HALF_SECONDS));
    }

    // Controller reset. NVMe base specification 2.0, 3.7.2: the admin queue registers keep their values.
    private void disable() {
        if (enabled && NvmeRegisters.CSTS_SHST.get(get(CSTS)) != SHUTDOWN_COMPLETE) {
            logs.unsafeShutdown();
        }
        enabled = false;
        queues.deleteAll();
        features.reset();
        firmware.reset();
        selfTest.reset();
        namespaces.forEach(Namespace::controllerReset);
        events.clear();
        doorbells.clear();
        interruptMask = 0;
        interrupts().assertIntx(false);
        set(CSTS, get(CSTS) & NvmeRegisters.CSTS_NSSRO.mask());
    }

    private void enable() {
        int sizes = (int) get(AQA);
        int submissionEntries = (int) NvmeRegisters.AQA_ASQS.get(sizes) + 1;
        int completionEntries = (int) NvmeRegisters.AQA_ACQS.get(sizes) + 1;
        long submission = get(ASQ);
        long completion = get(ACQ);
        int configuration = (int) get(CC);
        boolean possible = isPossible(configuration)
                && submissionEntries > 1
                && completionEntries > 1
                && ((submission | completion) & (DmaSpace.PAGE_BYTES - 1)) == 0
                && dma().isReadable(submission, SubmissionQueue.sizeBytes(submissionEntries))
                && dma().isWritable(completion, CompletionQueue.sizeBytes(completionEntries));
        if (!possible) {
            fail();
            return;
        }
        namespaces.enableAllCommandSets(NvmeRegisters.CC_CSS.get(configuration) == ALL_COMMAND_SETS);
        queues.arbitration().setWeighted(NvmeRegisters.CC_AMS.get(configuration) == WEIGHTED_ROUND_ROBIN);
        CompletionQueue adminCompletion = queues.createCompletion(0, completionEntries, completion, true, 0);
        queues.createSubmission(0, submissionEntries, submission, adminCompletion, 0);
        enabled = true;
        set(CSTS, get(CSTS) | NvmeRegisters.CSTS_RDY.mask());
    }

    /** A fatal error: nothing goes on until the driver resets the controller. */
    private void fail() {
        enabled = false;
        set(CSTS, get(CSTS) | NvmeRegisters.CSTS_CFS.mask());
    }

    private static boolean isPossible(int configuration) {
        return isZeroOr(NvmeRegisters.CC_CSS, configuration, ALL_COMMAND_SETS)
                && NvmeRegisters.CC_MPS.get(configuration) == 0
                && isZeroOr(NvmeRegisters.CC_AMS, configuration, WEIGHTED_ROUND_ROBIN)
                // Drivers may set the entry sizes after they enabled the controller, before they create I/O queues.
                && isZeroOr(NvmeRegisters.CC_IOSQES, configuration, SubmissionEntry.SIZE_SHIFT)
                && isZeroOr(NvmeRegisters.CC_IOCQES, configuration, CompletionEntry.SIZE_SHIFT);
    }

    private static boolean isZeroOr(Field field, int configuration, long value) {
        return field.get(configuration) == 0 || field.get(configuration) == value;
    }

    private void configure(int configuration) {
        boolean before = NvmeRegisters.CC_EN.isSet(get(CC));
        boolean after = NvmeRegisters.CC_EN.isSet(configuration);
        set(CC, configuration);
        if (before && !after) {
            disable();
        } else if (!before && after) {
            enable();
        }
        if (NvmeRegisters.CC_SHN.isSet(configuration)) {
            namespaces.flush();
            set(CSTS, NvmeRegisters.CSTS_SHST.set(get(CSTS), SHUTDOWN_COMPLETE));
        }
    }

    private void locateControllerMemory() {
        if (controllerMemory != null) {
            boolean readable = NvmeRegisters.CMBMSC_CRE.isSet(get(CMBMSC));
            set(CMBLOC, readable ? ControllerMemory.location() : 0);
            set(CMBSZ, readable ? controllerMemory.size() : 0);
            set(CMBSTS, NvmeRegisters.CMBSTS_CBAI.of(controllerMemory.configure(get(CMBMSC)) ? 0 : 1));
        }
    }

    private void locatePersistentMemory() {
        if (persistentMemory != null) {
            persistentMemory.configure(get(PMRCTL), get(PMRMSCL), get(PMRMSCU));
            set(PMRSTS, persistentMemory.status());
        }
    }

    // NVMe base specification 2.0, 3.7.1.
    private void resetSubsystem() {
        resetFunction();
        set(CSTS, NvmeRegisters.CSTS_NSSRO.mask());
    }

    private void featureChanged(int feature) {
        switch (feature) {
            case Feature.ARBITRATION -> queues.arbitration().configure(features.value(feature));
            case Feature.INTERRUPT_COALESCING, Feature.INTERRUPT_VECTOR_CONFIGURATION ->
                queues.interrupts().configure(features);
            case Feature.VOLATILE_WRITE_CACHE -> io.setWriteThrough((features.value(feature) & 1) == 0);
            case Feature.KEEP_ALIVE_TIMER -> keepAlive.start(features.value(feature));
            case Feature.TEMPERATURE_THRESHOLD, Feature.ASYNCHRONOUS_EVENT_CONFIGURATION -> reportWarnings();
            default -> {
                // It takes effect where it is looked up.
            }
        }
    }

    private void reportWarnings() {
        long wanted = AsynchronousEvent.ENABLE_WARNINGS.get(features.value(Feature.ASYNCHRONOUS_EVENT_CONFIGURATION));
        if ((logs.criticalWarnings() & wanted) != 0) {
            events.report(AsynchronousEvent.TEMPERATURE);
        }
    }

    /** Reports an event if the driver wants to hear of its kind. */
    private void report(int event) {
        int wanted = features.value(Feature.ASYNCHRONOUS_EVENT_CONFIGURATION);
        boolean isWanted = switch (event) {
            case AsynchronousEvent.NAMESPACES_CHANGED -> AsynchronousEvent.ENABLE_NAMESPACES.isSet(wanted);
            case AsynchronousEvent.FIRMWARE_ACTIVATION -> AsynchronousEvent.ENABLE_FIRMWARE.isSet(wanted);
            default -> true;
        };
        if (isWanted) {
            events.report(event);
        }
    }

    private long get(Register register) {
        int at = (int) register.offset() / Integer.BYTES;
        long low = Integer.toUnsignedLong(registers[at]);
        return register.widthBits() == Long.SIZE ? low | (long) registers[at + 1] << Integer.SIZE : low;
    }

    private void set(Register register, long value) {
        int at = (int) register.offset() / Integer.BYTES;
        registers[at] = (int) value;
        if (register.widthBits() == Long.SIZE) {
            registers[at + 1] = (int) (value >>> Integer.SIZE);
        }
    }

    /** The registers, and the doorbells for clients that do not map them. */
    private final class Bar0 implements RegisterAccess {
        @Override
        public long read(long offset, int widthBytes) {
            if (widthBytes == Long.BYTES) {
                return read(offset, Integer.BYTES) | read(offset + Integer.BYTES, Integer.BYTES) << Integer.SIZE;
            }
            long word = Integer.toUnsignedLong(readWord(offset & -Integer.BYTES));
            long shifted = word >>> ((offset & (Integer.BYTES - 1)) * Byte.SIZE);
            return widthBytes == Integer.BYTES ? shifted : shifted & ((1L << (widthBytes * Byte.SIZE)) - 1);
        }

        private int readWord(long offset) {
            if (offset == INTMS.offset() || offset == INTMC.offset()) {
                return interruptMask;
            }
            if (offset == PMRSTS.offset() && persistentMemory != null) {
                persistentMemory.flush();
            }
            if (offset < REGISTER_BYTES) {
                return registers[(int) offset / Integer.BYTES];
            }
            return doorbells.contains(offset) ? doorbells.readPage(offset - NvmeRegisters.DOORBELLS) : 0;
        }

        @Override
        public void write(long offset, int widthBytes, long value) {
            // Narrower accesses than 32 bits are not allowed. NVMe base specification 2.0, 3.1.1.
            if (widthBytes == Long.BYTES) {
                writeWord(offset, (int) value);
                writeWord(offset + Integer.BYTES, (int) (value >>> Integer.SIZE));
            } else if (widthBytes == Integer.BYTES) {
                writeWord(offset, (int) value);
            }
        }

        private void writeWord(long offset, int value) {
            if (offset == CC.offset()) {
                configure(value);
            } else if (offset == INTMS.offset()) {
                interruptMask |= value;
            } else if (offset == INTMC.offset()) {
                interruptMask &= ~value;
            } else if (offset >= AQA.offset() && offset < ACQ.offset() + Long.BYTES) {
                registers[(int) offset / Integer.BYTES] = value;
            } else if (offset >= CMBMSC.offset() && offset < CMBMSC.offset() + Long.BYTES) {
                registers[(int) offset / Integer.BYTES] = controllerMemory == null ? 0 : value;
                locateControllerMemory();
            } else if (offset == PMRCTL.offset() || offset == PMRMSCL.offset() || offset == PMRMSCU.offset()) {
                registers[(int) offset / Integer.BYTES] = persistentMemory == null ? 0 : value;
                locatePersistentMemory();
            } else if (offset == CSTS.offset()) {
                set(CSTS, get(CSTS) & ~(value & NvmeRegisters.CSTS_NSSRO.mask()));
            } else if (offset == NSSR.offset() && value == NvmeRegisters.NSSR_RESET) {
                resetSubsystem();
            } else if (doorbells.contains(offset)) {
                doorbells.write(offset - NvmeRegisters.DOORBELLS, value);
            }
        }
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            super.close();
            queues.deleteAll();
            doorbells.close();
            if (controllerMemory != null) {
                controllerMemory.close();
            }
            if (persistentMemory != null) {
                persistentMemory.close();
            }
            namespaces.close();
            arena.close();
        }
    }
}
