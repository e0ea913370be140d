package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceTimeoutException;
import dev.outboard.linux.StructView;
import dev.outboard.memory.Registers;
import dev.outboard.specs.nvme.CompletionEntry;
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
        /** Admin queues in AQA, ASQ and ACQ. */
        SET_ADMIN_QUEUES,
        /** Set CC.EN. */
        ENABLE,
        /** Until CSTS.RDY is 1. */
        WAIT_UNTIL_READY,
        /** Identify controller. */
        IDENTIFY_CONTROLLER,
        /** Set features, number of queues. */
        SET_QUEUE_COUNT,
        /** Identify the active namespaces. */
        IDENTIFY_NAMESPACES,
        /** The controller takes I/O commands. */
        READY
    }

    private static final long TIMEOUT_UNIT_MILLIS = 500;
    private static final long POLL_NANOS = 50_000;
    private static final int NAMESPACES_A_LIST = Identify.SIZE_BYTES / Integer.BYTES;
    static final int MAXIMUM_NAMESPACES = 1 << 16;

    private final ControllerAccess access;
    private final Registers registers;
    private final AdminQueue admin;
    private final int wantedQueues;
    private final List<NvmeNamespace> namespaces = new ArrayList<>();
    private @Nullable ControllerIdentity identity;
    private int queueCount;
    private long deadlineNanos;

    Initialization(ControllerAccess access, AdminQueue admin, int wantedQueues) {
        this.access = access;
        this.registers = access.registers();
        this.admin = admin;
        this.wantedQueues = wantedQueues;
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
            case WAIT_UNTIL_DISABLED -> waitUntilReadyIs(false) ? Step.SET_ADMIN_QUEUES : step;
            case SET_ADMIN_QUEUES -> setAdminQueues();
            case ENABLE -> enable();
            case WAIT_UNTIL_READY -> waitUntilReadyIs(true) ? Step.IDENTIFY_CONTROLLER : step;
            case IDENTIFY_CONTROLLER -> identifyController();
            case SET_QUEUE_COUNT -> setQueueCount();
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
            startDeadline();
        }
        return Step.WAIT_UNTIL_DISABLED;
    }

    private Step setAdminQueues() throws IOException {
        // An earlier user's DMA must not start again with the function's.
        access.function().setBusMaster(true);
        admin.restart();
        CommandQueue queue = admin.queue();
        registers.write(
                NvmeRegisters.AQA,
                NvmeRegisters.AQA_ASQS.of(queue.submissions().entries() - 1L)
                        | NvmeRegisters.AQA_ACQS.of(queue.completions().entries() - 1L));
        registers.write(NvmeRegisters.ASQ, queue.submissions().memory().deviceAddress());
        registers.write(NvmeRegisters.ACQ, queue.completions().memory().deviceAddress());
        return Step.ENABLE;
    }

    private Step enable() {
        registers.write(
                NvmeRegisters.CC,
                NvmeRegisters.CC_EN.of(1)
                        | NvmeRegisters.CC_CSS.of(hasCommandSets() ? NvmeRegisters.CSS_ALL : 0)
                        | NvmeRegisters.CC_MPS.of(access.pageSizeExponent())
                        | NvmeRegisters.CC_IOSQES.of(SubmissionEntry.SIZE_SHIFT)
                        | NvmeRegisters.CC_IOCQES.of(CompletionEntry.SIZE_SHIFT));
        startDeadline();
        return Step.WAIT_UNTIL_READY;
    }

    /** Whether there are command sets besides NVM: their namespaces are seen only once all are enabled. 3.1.3.5. */
    private boolean hasCommandSets() {
        return (NvmeRegisters.CAP_CSS.get(access.capabilities()) & NvmeRegisters.CSS_HAS_COMMAND_SETS) != 0;
    }

    private Step identifyController() throws IOException {
        identity = new ControllerIdentity(Identify.CONTROLLER.view(admin.identify(Identify.CNS_CONTROLLER, 0)));
        return Step.SET_QUEUE_COUNT;
    }

    private Step setQueueCount() throws IOException {
        queueCount = admin.setQueueCount(wantedQueues);
        return Step.IDENTIFY_NAMESPACES;
    }

    /** Has another look at the namespaces. */
    void refreshNamespaces() throws IOException {
        namespaces.clear();
        identifyNamespaces();
    }

    private Step identifyNamespaces() throws IOException {
        int last = 0;
        while (true) {
            MemorySegment list = admin.identify(Identify.CNS_ACTIVE_NAMESPACES, last);
            for (int i = 0; i < NAMESPACES_A_LIST; i++) {
                int id = list.getAtIndex(ValueLayout.JAVA_INT, i);
                if (id == 0) {
                    return Step.READY;
                }
                if (Integer.compareUnsigned(id, last) <= 0 || namespaces.size() == MAXIMUM_NAMESPACES) {
                    throw new DeviceException(access + " lists namespace " + Integer.toUnsignedString(id) + " after "
                            + Integer.toUnsignedString(last) + ": its list of active namespaces makes no sense");
                }
                addNamespace(id);
                last = id;
            }
        }
    }

    /** Namespaces of a command set that has no blocks are left out. */
    private void addNamespace(int id) throws IOException {
        int set = hasCommandSets() ? commandSet(id) : Identify.NVM_COMMAND_SET;
        if (set == Identify.NVM_COMMAND_SET || set == Identify.ZONED_COMMAND_SET) {
            NvmeNamespace namespace =
                    NvmeNamespace.of(id, admin.identify(Identify.CNS_NAMESPACE, id), access.toString());
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
