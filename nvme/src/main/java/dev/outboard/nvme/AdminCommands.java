package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.LogPage;
import dev.outboard.specs.nvme.Maintenance;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * The admin commands of a controller: what it is, what it logs, its settings and its upkeep. Each call waits until the
 * command is done. Safe for use by several threads, whose commands are on their way at the same time. NVMe base
 * specification 2.0, chapter 5.
 *
 * <p>Every method throws {@link NvmeException} if the controller refuses the command, {@link
 * dev.outboard.driver.DeviceTimeoutException} if it takes longer than the {@linkplain #withTimeout deadline} (the
 * controller must be {@linkplain NvmeController#reset reset} then), and {@link DeviceException} if what it says cannot be.
 */
public final class AdminCommands {
    private static final int LARGEST_CONTROLLER_LIST = Identify.SIZE_BYTES / Short.BYTES - 1;
    private static final int NAMESPACES_A_LIST = Identify.SIZE_BYTES / Integer.BYTES;
    private static final int DESCRIPTOR_HEAD_BYTES = 4;
    private static final int PATTERN_DWORD = 11;

    private final NvmeController controller;
    private final AdminQueue queue;
    private final Duration timeout;

    AdminCommands(NvmeController controller, AdminQueue queue, Duration timeout) {
        this.controller = controller;
        this.queue = queue;
        this.timeout = timeout;
    }

    /**
     * The same commands with another deadline, for those that take long: format, firmware, namespaces.
     *
     * @param limit how long a command may take
     * @return the commands
     */
    public AdminCommands withTimeout(Duration limit) {
        return new AdminCommands(controller, queue, limit);
    }

    /**
     * What the controller logs.
     *
     * @return its log pages
     */
    public LogPages logs() {
        return new LogPages(this, controller);
    }

    /**
     * The controller's settings.
     *
     * @return its features
     */
    public Features features() {
        return new Features(this, controller);
    }

    /**
     * Namespaces come and go.
     *
     * @return the commands that manage them
     */
    public NamespaceManagement namespaces() {
        return new NamespaceManagement(this, controller);
    }

    /**
     * Carries out any command. What it transfers only its caller knows: its buffer must be as large as the controller
     * takes it to be. After commands that change namespaces {@link NvmeController#namespaces} is read again.
     *
     * @param command the command, of which nothing is kept; its data is contiguous
     * @return dword 0 of its completion
     * @throws IllegalArgumentException if the driver alone may send it (queues and events), or its data cannot be
     *     transferred
     * @throws IOException if it fails
     */
    public int execute(NvmeCommand command) throws IOException {
        check(command, command.dataBytes());
        return done(command, queue.execute(command, timeout));
    }

    /**
     * Carries out any command that brings data.
     *
     * @param command the command, without data of its own
     * @param bytes how much the controller transfers: a multiple of 4
     * @return the data, read-only; zeros where the controller wrote nothing
     * @throws IllegalArgumentException as {@link #execute}
     * @throws IOException if it fails
     */
    public MemorySegment receive(NvmeCommand command, long bytes) throws IOException {
        return receiveAll(command, bytes).data();
    }

    /** The same with dword 0 of the completion. */
    AdminQueue.Received receiveAll(NvmeCommand command, long bytes) throws IOException {
        check(command, bytes);
        AdminQueue.Received received = queue.receive(command, bytes, timeout);
        done(command, received.result());
        return received;
    }

    /**
     * Carries out any command that takes data.
     *
     * @param command the command, without data of its own
     * @param data what the controller gets: a multiple of 4 bytes
     * @return dword 0 of its completion
     * @throws IllegalArgumentException as {@link #execute}
     * @throws IOException if it fails
     */
    public int send(NvmeCommand command, MemorySegment data) throws IOException {
        check(command, data.byteSize());
        return done(command, queue.send(command, data, timeout));
    }

    private void check(NvmeCommand command, long bytes) {
        if (isForDriver(command.opcode())) {
            throw new IllegalArgumentException(Opcode.adminName(command.opcode())
                    + " is for the driver alone; use createQueuePair, or watchEvents");
        }
        if (command.opcode() == Opcode.SET_FEATURES
                && SubmissionEntry.FEATURE_ID.get(command.words(10)) == Feature.HOST_MEMORY_BUFFER) {
            throw new IllegalArgumentException("what the host memory buffer is, is for the driver alone;"
                    + " open the controller with another NvmeSettings.withHostMemory");
        }
        if (command.pieces() != null) {
            throw new IllegalArgumentException("the data of an admin command is one piece of memory");
        }
        if (bytes < leastBytes(command)) {
            throw new IllegalArgumentException(Opcode.adminName(command.opcode()) + " transfers " + leastBytes(command)
                    + " bytes, whatever room there is for them: give it as many, not " + bytes);
        }
        if (bytes > controller.maximumTransferBytes() || bytes % Integer.BYTES != 0) {
            throw new IllegalArgumentException("an admin command of " + controller.address()
                    + " transfers a multiple of 4 bytes, at most " + controller.maximumTransferBytes() + ", not "
                    + bytes);
        }
    }

    /**
     * Whether the driver alone may send a command: for queues, events and doorbells.
     *
     * @param opcode one of {@link Opcode}
     * @return whether {@link #execute} and its like refuse it
     */
    public static boolean isForDriver(int opcode) {
        return switch (opcode) {
            case Opcode.CREATE_IO_COMPLETION_QUEUE,
                    Opcode.CREATE_IO_SUBMISSION_QUEUE,
                    Opcode.DELETE_IO_COMPLETION_QUEUE,
                    Opcode.DELETE_IO_SUBMISSION_QUEUE,
                    Opcode.ASYNCHRONOUS_EVENT_REQUEST,
                    Opcode.DOORBELL_BUFFER_CONFIG -> true;
            default -> false;
        };
    }

    /**
     * What a command transfers whatever room there is for it: with less memory it would spoil somebody else's.
     *
     * @param command the command
     * @return bytes, as far as the command says so; 0 where it does not
     */
    public static long leastBytes(NvmeCommand command) {
        return switch (command.opcode()) {
            case Opcode.IDENTIFY, Opcode.NAMESPACE_ATTACHMENT -> Identify.SIZE_BYTES;
            case Opcode.GET_LOG_PAGE -> {
                long high = LogPage.NUMBER_OF_DWORDS_HIGH.get(command.words(11));
                long low = LogPage.NUMBER_OF_DWORDS_LOW.get(command.words(10));
                yield ((high << Short.SIZE | low) + 1) * Integer.BYTES;
            }
            case Opcode.FIRMWARE_DOWNLOAD -> ((command.words(10) & 0xffff_ffffL) + 1) * Integer.BYTES;
            default -> 0;
        };
    }

    private int done(NvmeCommand command, int result) throws IOException {
        switch (command.opcode()) {
            case Opcode.NAMESPACE_MANAGEMENT, Opcode.NAMESPACE_ATTACHMENT, Opcode.FORMAT_NVM ->
                controller.refreshNamespaces();
            default -> {
                // The others leave namespaces as they are.
            }
        }
        return result;
    }

    /**
     * Identify, of every kind.
     *
     * @param cns what to identify: one of the constants {@code CNS_} of {@link Identify}
     * @param namespaceId the namespace, or what the kind takes in its place
     * @param controllerId the controller; 0 where the kind has none
     * @param commandSet the I/O command set; 0 where the kind has none
     * @return 4096 bytes
     * @throws IOException if it fails
     */
    public MemorySegment identify(int cns, int namespaceId, int controllerId, int commandSet) throws IOException {
        return receive(AdminQueue.identifyCommand(cns, namespaceId, controllerId, commandSet), Identify.SIZE_BYTES);
    }

    /**
     * Identify, of what needs only a namespace or nothing.
     *
     * @param cns what to identify: one of the constants {@code CNS_} of {@link Identify}
     * @param namespaceId the namespace; 0 where the kind has none
     * @return 4096 bytes
     * @throws IOException if it fails
     */
    public MemorySegment identify(int cns, int namespaceId) throws IOException {
        return identify(cns, namespaceId, 0, Identify.NVM_COMMAND_SET);
    }

    /**
     * The identifiers of namespaces, however many lists they fill.
     *
     * @param cns {@link Identify#CNS_ACTIVE_NAMESPACES}, {@link Identify#CNS_ALLOCATED_NAMESPACES}, or one of the two of
     *     a command set
     * @param commandSet the command set; 0 where the kind has none
     * @return the identifiers, rising
     * @throws IOException if it fails
     */
    public List<Integer> namespaceIds(int cns, int commandSet) throws IOException {
        List<Integer> ids = new ArrayList<>();
        int last = 0;
        while (true) {
            MemorySegment list = identify(cns, last, 0, commandSet);
            for (int i = 0; i < NAMESPACES_A_LIST; i++) {
                int id = list.getAtIndex(ValueLayout.JAVA_INT, i);
                if (id == 0) {
                    return List.copyOf(ids);
                }
                if (Integer.compareUnsigned(id, last) <= 0 || ids.size() == Initialization.MAXIMUM_NAMESPACES) {
                    throw new DeviceException(controller.address() + " lists namespace " + Integer.toUnsignedString(id)
                            + " after " + Integer.toUnsignedString(last) + ": its list of namespaces makes no sense");
                }
                ids.add(id);
                last = id;
            }
        }
    }

    /**
     * The identifiers of controllers of the subsystem.
     *
     * @param cns {@link Identify#CNS_CONTROLLERS} or {@link Identify#CNS_ATTACHED_CONTROLLERS}
     * @param namespaceId the namespace that they are attached to, for the second of these
     * @return the identifiers, rising
     * @throws IOException if it fails
     */
    public List<Integer> controllerIds(int cns, int namespaceId) throws IOException {
        MemorySegment list = identify(cns, namespaceId);
        int count = Short.toUnsignedInt(list.get(ValueLayout.JAVA_SHORT, 0));
        List<Integer> ids = new ArrayList<>();
        for (int i = 1; i <= Math.min(count, LARGEST_CONTROLLER_LIST); i++) {
            ids.add(Short.toUnsignedInt(list.getAtIndex(ValueLayout.JAVA_SHORT, i)));
        }
        if (count > LARGEST_CONTROLLER_LIST
                || !ids.equals(ids.stream().distinct().sorted().toList())) {
            throw new DeviceException(controller.address() + " lists " + count + " controllers, "
                    + ids.stream().limit(8).toList() + " first: its list of controllers makes no sense");
        }
        return ids;
    }

    /**
     * A namespace's identification descriptors.
     *
     * @param namespaceId the namespace
     * @return in the controller's order
     * @throws IOException if it fails
     */
    public List<NamespaceDescriptor> namespaceDescriptors(int namespaceId) throws IOException {
        MemorySegment list = identify(Identify.CNS_NAMESPACE_DESCRIPTORS, namespaceId);
        List<NamespaceDescriptor> descriptors = new ArrayList<>();
        for (long at = 0; at + DESCRIPTOR_HEAD_BYTES <= list.byteSize(); ) {
            int length = Byte.toUnsignedInt(list.get(ValueLayout.JAVA_BYTE, at + 1));
            if (length == 0) {
                break;
            }
            long end = at + DESCRIPTOR_HEAD_BYTES + length;
            if (end > list.byteSize()) {
                throw new DeviceException(controller.address() + " describes namespace " + namespaceId + " with "
                        + length + " bytes beyond the end of the list: its descriptors make no sense");
            }
            descriptors.add(new NamespaceDescriptor(
                    Byte.toUnsignedInt(list.get(ValueLayout.JAVA_BYTE, at)),
                    list.asSlice(at + DESCRIPTOR_HEAD_BYTES, length)));
            at = end;
        }
        return List.copyOf(descriptors);
    }

    /**
     * Asks for the end of an I/O command, on the thread of its queue pair. It completes as ever, aborted or not. Waits
     * while as many aborts are on their way as the controller takes (ACL).
     *
     * @param request the command, still on its way
     * @return whether the controller says that it aborts it
     * @throws IOException if it fails
     */
    public boolean abort(NvmeRequest request) throws IOException {
        return queue.abort(request.queue.id(), request.commandId, timeout);
    }

    /**
     * Starts a self-test, or ends it. {@link LogPages#selfTests} says how far it is.
     *
     * @param namespaceId the namespace that it covers; 0 for none, -1 for all
     * @param code {@link Maintenance#SHORT_TEST}, {@link Maintenance#EXTENDED_TEST} or {@link Maintenance#ABORT_TEST}
     * @throws IOException if it fails
     */
    public void selfTest(int namespaceId, int code) throws IOException {
        execute(NvmeCommand.of(Opcode.DEVICE_SELF_TEST).namespace(namespaceId).dword(10, (int)
                Maintenance.SELF_TEST.of(code)));
    }

    /**
     * Starts to sanitize the whole subsystem: all data of all namespaces are gone, wherever a copy was. {@link
     * LogPages#sanitizeStatus} says how far it is. NVMe base specification 2.0, 5.24.
     *
     * @param dword10 what to do: fields of {@link Maintenance}
     * @param pattern what to overwrite with
     * @throws IOException if it fails
     */
    public void sanitize(int dword10, int pattern) throws IOException {
        execute(NvmeCommand.of(Opcode.SANITIZE).dword(10, dword10).dword(PATTERN_DWORD, pattern));
    }

    /**
     * The firmware.
     *
     * @return what replaces it
     */
    public FirmwareUpdate firmware() {
        return new FirmwareUpdate(this, controller);
    }

    /**
     * Asks a security protocol. NVMe base specification 2.0, 5.25.
     *
     * @param protocol the protocol (SECP)
     * @param specific what the protocol makes of it (SPSP)
     * @param bytes how much room the answer gets: a multiple of 4
     * @return the answer
     * @throws IOException if it fails
     */
    public MemorySegment securityReceive(int protocol, int specific, int bytes) throws IOException {
        return receive(security(Opcode.SECURITY_RECEIVE, protocol, specific, bytes), bytes);
    }

    /**
     * Tells a security protocol. NVMe base specification 2.0, 5.26.
     *
     * @param protocol the protocol (SECP)
     * @param specific what the protocol makes of it (SPSP)
     * @param data what it is told: a multiple of 4 bytes
     * @throws IOException if it fails
     */
    public void securitySend(int protocol, int specific, MemorySegment data) throws IOException {
        send(security(Opcode.SECURITY_SEND, protocol, specific, (int) data.byteSize()), data);
    }

    private static NvmeCommand security(int opcode, int protocol, int specific, int bytes) {
        long which = SubmissionEntry.SECURITY_PROTOCOL.of(protocol) | SubmissionEntry.SECURITY_SPECIFIC.of(specific);
        return NvmeCommand.of(opcode).dword(10, (int) which).dword(11, bytes);
    }

    /**
     * Tells of the controller's asynchronous events, until it is closed. Changes of namespaces, warnings of the SMART log
     * and activations of firmware become events where the controller has them. After a change of namespaces {@link
     * NvmeController#namespaces} is read again before the listener is told. After an event no other of its type comes
     * before somebody has read the {@linkplain NvmeEvent#logPage log page} that it names. After a reset events go on.
     *
     * @param listener told of each event, one at a time, on a thread of its own; it may use the controller
     * @return ends it; nothing is told any more when the controller is closed or gone
     * @throws IOException if the controller does not let its events be chosen
     */
    public EventWatch watchEvents(Consumer<NvmeEvent> listener) throws IOException {
        return controller.events().watch(listener);
    }
}
