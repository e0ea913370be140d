package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceTimeoutException;
import dev.outboard.linux.StructView;
import dev.outboard.memory.Registers;
import dev.outboard.nvme.NvmeSettings.ControllerMemoryUse;
import dev.outboard.specs.nvme.CompletionEntry;
import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Brings a controller up, step by step, each step with its deadline. NVMe base specification 2.0, 3.5.1.
 *
 * <p>A step does its work and returns the next; a step that waits returns itself until what it waits for is there.
 */
final class Initialization {
    /** The steps. */
    enum Step {
        /** Clear CC.EN, if it is set: whoever had the controller before left it running. */
        DISABLE,
        /** Until CSTS.RDY is 0. */
        WAIT_UNTIL_DISABLED,
        /** Controller memory buffer and persistent memory region, if they are wanted. */
        LOCATE_CONTROLLER_MEMORY,
        /** Admin queues in AQA, ASQ and ACQ. */
        SET_ADMIN_QUEUES,
        /** Set CC.EN. */
        ENABLE,
        /** Until CSTS.RDY is 1. */
        WAIT_UNTIL_READY,
        /** Identify controller. */
        IDENTIFY_CONTROLLER,
        /** Set features, host behaviour support, if there are extended LBA formats. */
        SET_HOST_BEHAVIOR,
        /** Set features, host memory buffer, if there shall be one. */
        SET_HOST_MEMORY,
        /** Set features, number of queues. */
        SET_QUEUE_COUNT,
        /** Doorbell buffer config, if doorbells are shadowed. */
        SET_SHADOW_DOORBELLS,
        /** Set features, keep alive timer, if it is wanted. */
        SET_KEEP_ALIVE,
        /** Set features, arbitration, if it is weighted. */
        SET_ARBITRATION,
        /** Identify the active namespaces. */
        IDENTIFY_NAMESPACES,
        /** The controller takes I/O commands. */
        READY
    }

    private static final long TIMEOUT_UNIT_MILLIS = 500;
    private static final long POLL_NANOS = 50_000;
    /** What Linux's driver found to be enough. */
    private static final Duration BEFORE_READY_CHECK = Duration.ofMillis(2300);
    /** What SPDK's driver waits. */
    private static final Duration BEFORE_ENABLING = Duration.ofSeconds(2);
    /** Lists of namespaces came with version 1.1. */
    private static final long FIRST_VERSION_WITH_LISTS = 0x0001_0100;

    private static final int NAMESPACES_A_LIST = Identify.SIZE_BYTES / Integer.BYTES;
    static final int MAXIMUM_NAMESPACES = 1 << 16;

    private final Registers registers;
    private final AdminQueue admin;
    private final NvmeSettings settings;
    private final HostMemoryBuffer hostMemory;
    private final List<NvmeNamespace> namespaces = new ArrayList<>();
    private ControllerAccess access;
    private @Nullable ControllerIdentity identity;
    private boolean hasExtendedFormats;
    private int queueCount;
    private long deadlineNanos;

    /** Steps to be run; {@code access} knows what an earlier run has set up. */
    Initialization(ControllerAccess access, AdminQueue admin, NvmeSettings settings, HostMemoryBuffer hostMemory) {
        this.access = access;
        this.registers = access.registers();
        this.admin = admin;
        this.settings = settings;
        this.hostMemory = hostMemory;
    }

    /** Runs all steps. */
    void run() throws IOException {
        Step step = Step.DISABLE;
        while (step != Step.READY) {
            Step next = next(step);
            if (next == step) {
                LockSupport.parkNanos(POLL_NANOS);
            }
            step = next;
        }
    }

    private Step next(Step step) throws IOException {
        return switch (step) {
            case DISABLE -> disable();
            case WAIT_UNTIL_DISABLED -> waitUntilReadyIs(false) ? Step.LOCATE_CONTROLLER_MEMORY : step;
            case LOCATE_CONTROLLER_MEMORY -> locateControllerMemory();
            case SET_ADMIN_QUEUES -> setAdminQueues();
            case ENABLE -> enable();
            case WAIT_UNTIL_READY -> waitUntilReadyIs(true) ? Step.IDENTIFY_CONTROLLER : step;
            case IDENTIFY_CONTROLLER -> identifyController();
            case SET_HOST_BEHAVIOR -> setHostBehavior();
            case SET_HOST_MEMORY -> setHostMemory();
            case SET_QUEUE_COUNT -> setQueueCount();
            case SET_SHADOW_DOORBELLS -> setShadowDoorbells();
            case SET_KEEP_ALIVE -> setKeepAlive();
            case SET_ARBITRATION -> setArbitration();
            case IDENTIFY_NAMESPACES -> identifyNamespaces();
            case READY -> step;
        };
    }

    private Step disable() throws IOException {
        startDeadline();
        long configuration = registers.read(NvmeRegisters.CC);
        if (NvmeRegisters.CC_EN.isSet(configuration)) {
            // Not before it is ready: 3.5.3. A controller in fatal state never gets there, and may be disabled at once.
            while (!waitUntilReadyIsOrFatal()) {
                LockSupport.parkNanos(POLL_NANOS);
            }
            registers.write(NvmeRegisters.CC, NvmeRegisters.CC_EN.set(configuration, 0));
            if (access.has(Quirk.DELAY_BEFORE_READY_CHECK)) {
                pause(BEFORE_READY_CHECK);
            }
            startDeadline();
        }
        return Step.WAIT_UNTIL_DISABLED;
    }

    private Step locateControllerMemory() throws IOException {
        ControllerMemory known = access.memory();
        if (known != null) {
            known.enable();
        } else if (settings.controllerMemory() != ControllerMemoryUse.NONE) {
            // Commands that lie there are none that somebody between would see.
            boolean forQueues = settings.controllerMemory() == ControllerMemoryUse.SUBMISSION_QUEUES
                    && !access.function().isInterposed();
            ControllerMemory found = ControllerMemory.find(access, forQueues);
            access = found == null ? access : access.withMemory(found);
        }
        PersistentMemory region = access.persistentMemory();
        if (region != null) {
            region.enable();
        } else if (settings.persistentMemory()) {
            access = access.withPersistentMemory(PersistentMemory.find(access));
        }
        return Step.SET_ADMIN_QUEUES;
    }

    private static void pause(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        for (long left = time.toNanos(); left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    private Step setAdminQueues() throws IOException {
        if (access.has(Quirk.DELAY_BEFORE_ENABLING)) {
            pause(BEFORE_ENABLING);
        }
        // An earlier user's DMA must not start again with the function's.
        access.function().setBusMaster(true);
        admin.restart();
        CommandQueue queue = admin.queue();
        registers.write(
                NvmeRegisters.AQA,
                NvmeRegisters.AQA_ASQS.of(queue.submissions().entries() - 1L)
                        | NvmeRegisters.AQA_ACQS.of(queue.completions().entries() - 1L));
        registers.write(NvmeRegisters.ASQ, queue.submissions().deviceAddress());
        registers.write(NvmeRegisters.ACQ, queue.completions().deviceAddress());
        return Step.ENABLE;
    }

    private Step enable() throws DeviceException {
        if (settings.weightedRoundRobin() != null && !isArbitrationWeighted()) {
            throw new DeviceException(access + " has no weighted round robin (CAP.AMS); open it without");
        }
        registers.write(
                NvmeRegisters.CC,
                NvmeRegisters.CC_EN.of(1)
                        | NvmeRegisters.CC_AMS.of(
                                settings.weightedRoundRobin() == null ? 0 : NvmeRegisters.AMS_WEIGHTED)
                        | NvmeRegisters.CC_CSS.of(hasCommandSets() ? NvmeRegisters.CSS_ALL : 0)
                        | NvmeRegisters.CC_MPS.of(access.pageSizeExponent())
                        | NvmeRegisters.CC_IOSQES.of(SubmissionEntry.SIZE_SHIFT)
                        | NvmeRegisters.CC_IOCQES.of(CompletionEntry.SIZE_SHIFT));
        startDeadline();
        return Step.WAIT_UNTIL_READY;
    }

    private boolean isArbitrationWeighted() {
        return (NvmeRegisters.CAP_AMS.get(access.capabilities()) & NvmeRegisters.AMS_WEIGHTED) != 0;
    }

    /** Whether there are command sets besides NVM: their namespaces are seen only once all are enabled. 3.1.3.5. */
    private boolean hasCommandSets() {
        return (NvmeRegisters.CAP_CSS.get(access.capabilities()) & NvmeRegisters.CSS_HAS_COMMAND_SETS) != 0;
    }

    private Step identifyController() throws IOException {
        identity = new ControllerIdentity(Identify.CONTROLLER.view(admin.identify(Identify.CNS_CONTROLLER, 0)));
        // Less one.
        admin.limitAborts(identity.data().getInt("acl") + 1);
        return Step.SET_HOST_BEHAVIOR;
    }

    /** A controller shows its extended LBA formats, and works on them, only for a host that says that it knows them. */
    private Step setHostBehavior() throws IOException {
        hasExtendedFormats =
                Identify.CTRATT_EXTENDED_FORMATS.isSet(identity().data().get("ctratt"))
                        && !access.has(Quirk.ONLY_BASIC_IDENTIFY);
        if (hasExtendedFormats) {
            MemorySegment behavior = MemorySegment.ofArray(new byte[Feature.HOST_BEHAVIOR_BYTES]);
            behavior.set(ValueLayout.JAVA_BYTE, Feature.LBAFEE, (byte) 1);
            try {
                admin.send(Features.setCommand(Feature.HOST_BEHAVIOR_SUPPORT, 0, 0, false), behavior);
            } catch (NvmeException refused) {
                // Then its namespaces are what any host can use.
                hasExtendedFormats = false;
            }
        }
        return Step.SET_HOST_MEMORY;
    }

    private Step setHostMemory() throws IOException {
        hostMemory.give(identity());
        return Step.SET_QUEUE_COUNT;
    }

    private Step setQueueCount() throws IOException {
        queueCount = admin.setQueueCount(settings.queuePairs());
        return Step.SET_SHADOW_DOORBELLS;
    }

    private Step setShadowDoorbells() throws IOException {
        ShadowDoorbells known = access.shadowDoorbells();
        if (known != null) {
            admin.execute(known.configuration());
        } else if (wantsShadowDoorbells()) {
            ShadowDoorbells shadows = new ShadowDoorbells(access, queueCount + 1);
            try {
                admin.execute(shadows.configuration());
                access = access.withShadowDoorbells(shadows);
            } catch (NvmeException refused) {
                // One that offers them, but does not want them now, has its registers.
                shadows.free();
            }
        }
        return Step.SET_KEEP_ALIVE;
    }

    private boolean wantsShadowDoorbells() throws IOException {
        boolean offered = Identify.OACS_DOORBELL_BUFFER.isSet(identity().data().get("oacs"));
        return offered
                && !access.function().isInterposed()
                && switch (settings.shadowDoorbells()) {
                    case ON -> true;
                    case OFF -> false;
                    case AUTO -> !access.hasDoorbellsInMemory();
                };
    }

    private Step setKeepAlive() throws IOException {
        long millis = settings.keepAlive().toMillis();
        if (millis != 0 && identity().data().get("kas") == 0) {
            throw new DeviceException(access + " has no keep alive timer (KAS is 0); open it without");
        }
        if (millis != 0) {
            admin.execute(Features.setCommand(Feature.KEEP_ALIVE_TIMER, (int) millis, 0, false));
        }
        return Step.SET_ARBITRATION;
    }

    private Step setArbitration() throws IOException {
        Features.Arbitration arbitration = settings.weightedRoundRobin();
        if (arbitration != null) {
            admin.execute(Features.setCommand(Feature.ARBITRATION, arbitration.value(), 0, false));
        }
        return Step.IDENTIFY_NAMESPACES;
    }

    /** Has another look at the namespaces. */
    void refreshNamespaces() throws IOException {
        namespaces.clear();
        identifyNamespaces();
    }

    private Step identifyNamespaces() throws IOException {
        boolean hasLists = registers.read(NvmeRegisters.VS) >= FIRST_VERSION_WITH_LISTS;
        if (!hasLists || access.has(Quirk.ONLY_BASIC_IDENTIFY)) {
            return identifyNamespacesByNumber();
        }
        int last = 0;
        while (true) {
            MemorySegment list = admin.identify(Identify.CNS_ACTIVE_NAMESPACES, last);
            for (int i = 0; i < NAMESPACES_A_LIST; i++) {
                int id = list.getAtIndex(ValueLayout.JAVA_INT, i);
                if (id == 0) {
                    return Step.READY;
                }
                if (Integer.compareUnsigned(id, last) <= 0
                        || id == NamespaceManagement.ALL
                        || namespaces.size() == MAXIMUM_NAMESPACES) {
                    throw new DeviceException(access + " lists namespace " + Integer.toUnsignedString(id) + " after "
                            + Integer.toUnsignedString(last) + ": its list of active namespaces makes no sense");
                }
                addNamespace(id);
                last = id;
            }
        }
    }

    /** Each that there can be is asked for; those that are not active have no size. */
    private Step identifyNamespacesByNumber() throws IOException {
        long count = identity().data().get("nn");
        if (count > MAXIMUM_NAMESPACES) {
            throw new DeviceException(access + " says that it can have " + count + " namespaces, and cannot list them");
        }
        for (int id = 1; id <= count; id++) {
            MemorySegment data = admin.identify(Identify.CNS_NAMESPACE, id);
            if (Identify.NAMESPACE.view(data).get("nsze") != 0) {
                namespaces.add(NvmeNamespace.of(id, data, null, access.toString()));
            }
        }
        return Step.READY;
    }

    /** Namespaces of a command set that has no blocks are left out. */
    private void addNamespace(int id) throws IOException {
        boolean isSaid = hasCommandSets() && !access.has(Quirk.NO_NAMESPACE_DESCRIPTORS);
        int set = isSaid ? commandSet(id) : Identify.NVM_COMMAND_SET;
        if (set == Identify.NVM_COMMAND_SET || set == Identify.ZONED_COMMAND_SET) {
            MemorySegment nvmData = hasExtendedFormats ? admin.identify(Identify.CNS_COMMAND_SET_NAMESPACE, id) : null;
            NvmeNamespace namespace =
                    NvmeNamespace.of(id, admin.identify(Identify.CNS_NAMESPACE, id), nvmData, access.toString());
            namespaces.add(set == Identify.ZONED_COMMAND_SET ? namespace.withZones(zones(namespace)) : namespace);
        }
    }

    private ZoneInformation zones(NvmeNamespace namespace) throws IOException {
        return ZoneInformation.of(
                namespace,
                admin.identify(Identify.CNS_COMMAND_SET_NAMESPACE, namespace.id(), Identify.ZONED_COMMAND_SET),
                admin.identify(Identify.CNS_COMMAND_SET_CONTROLLER, 0, Identify.ZONED_COMMAND_SET),
                access);
    }

    private int commandSet(int id) throws IOException {
        MemorySegment list = admin.identify(Identify.CNS_NAMESPACE_DESCRIPTORS, id);
        long head = Identify.NAMESPACE_DESCRIPTOR.byteSize();
        for (long at = 0; at + head < list.byteSize(); ) {
            StructView descriptor = Identify.NAMESPACE_DESCRIPTOR.view(list.asSlice(at));
            long length = descriptor.get("nidl");
            if (length == 0) {
                break;
            }
            if (descriptor.get("nidt") == Identify.DESCRIPTOR_COMMAND_SET) {
                return Byte.toUnsignedInt(list.get(ValueLayout.JAVA_BYTE, at + head));
            }
            at += head + length;
        }
        return Identify.NVM_COMMAND_SET;
    }

    /** CAP.TO is how long the controller may take for either change of CSTS.RDY. */
    private void startDeadline() {
        deadlineNanos = System.nanoTime() + timeout().toNanos();
    }

    private Duration timeout() {
        return Duration.ofMillis(Math.max(1, NvmeRegisters.CAP_TO.get(access.capabilities())) * TIMEOUT_UNIT_MILLIS);
    }

    private boolean waitUntilReadyIsOrFatal() throws IOException {
        return NvmeRegisters.CSTS_CFS.isSet(access.status()) || waitUntilReadyIs(true);
    }

    private boolean waitUntilReadyIs(boolean ready) throws IOException {
        long status = access.status();
        if (NvmeRegisters.CSTS_RDY.isSet(status) == ready) {
            return true;
        }
        if (ready && NvmeRegisters.CSTS_CFS.isSet(status)) {
            throw new DeviceException(access + " reports a fatal error (CSTS.CFS) on its way to ready; reset it");
        }
        if (System.nanoTime() - deadlineNanos > 0) {
            throw new DeviceTimeoutException(access + " did not become " + (ready ? "ready" : "disabled") + " within "
                    + timeout().toMillis() + " ms, the time that it asks for (CAP.TO); CSTS is 0x"
                    + Long.toHexString(status) + "; reset or power-cycle it");
        }
        return false;
    }

    /** How the controller's queues reach it. */
    ControllerAccess access() {
        return access;
    }

    ControllerIdentity identity() {
        if (identity == null) {
            throw new IllegalStateException("the controller was not identified yet");
        }
        return identity;
    }

    List<NvmeNamespace> namespaces() {
        return List.copyOf(namespaces);
    }

    int queueCount() {
        return queueCount;
    }
}
