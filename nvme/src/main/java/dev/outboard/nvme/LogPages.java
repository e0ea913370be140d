package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.specs.nvme.CommandEffects;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.LogPage;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * What a controller logs. Reading a log page lets the asynchronous events that name it come again. Errors are those of
 * {@link AdminCommands}. NVMe base specification 2.0, 5.16.
 */
public final class LogPages {
    private static final int ALL = -1;
    private static final int OPCODES = 1 << Byte.SIZE;
    private static final int CHANGED_NAMESPACES = 1024;

    private final AdminCommands commands;
    private final NvmeController controller;

    LogPages(AdminCommands commands, NvmeController controller) {
        this.commands = commands;
        this.controller = controller;
    }

    /**
     * The effects of commands: 0 is a command that the controller does not have.
     *
     * @param data the log page
     */
    public record Effects(MemorySegment data) {
        /**
         * What an admin command does.
         *
         * @param opcode its opcode
         * @return bits of {@link CommandEffects}
         */
        public int admin(int opcode) {
            return data.getAtIndex(ValueLayout.JAVA_INT, Math.floorMod(opcode, OPCODES));
        }

        /**
         * What an I/O command does.
         *
         * @param opcode its opcode
         * @return bits of {@link CommandEffects}
         */
        public int io(int opcode) {
            return data.get(
                    ValueLayout.JAVA_INT,
                    CommandEffects.LOG_IO + (long) Integer.BYTES * Math.floorMod(opcode, OPCODES));
        }
    }

    /**
     * Reads any log page.
     *
     * @param log its identifier, one of {@link LogPage} or a vendor's
     * @param bytes how much: a multiple of 4
     * @return the data
     * @throws IOException if it fails
     */
    public MemorySegment read(int log, long bytes) throws IOException {
        return read(log, ALL, bytes, false);
    }

    /**
     * Reads any log page, in as many commands as it takes.
     *
     * @param log its identifier, one of {@link LogPage} or a vendor's
     * @param namespaceId the namespace; -1 for the whole controller
     * @param bytes how much: a multiple of 4
     * @param retainEvents whether events that name this log page stay away
     * @return the data
     * @throws IOException if it fails
     */
    public MemorySegment read(int log, int namespaceId, long bytes, boolean retainEvents) throws IOException {
        if (bytes < Integer.BYTES || bytes % Integer.BYTES != 0) {
            throw new IllegalArgumentException("a log page is read by multiples of 4 bytes, not " + bytes);
        }
        MemorySegment all = Arena.ofAuto().allocate(bytes, Long.BYTES);
        long limit = controller.maximumTransferBytes();
        for (long at = 0; at < bytes; at += limit) {
            long part = Math.min(limit, bytes - at);
            // An event may be let go only when the last part was read.
            boolean retain = retainEvents || at + part < bytes;
            all.asSlice(at, part).copyFrom(commands.receive(command(log, namespaceId, at, part, retain), part));
        }
        return all.asReadOnly();
    }

    private static NvmeCommand command(int log, int namespaceId, long offset, long bytes, boolean retain) {
        long dwords = bytes / Integer.BYTES - 1;
        long dword10 = SubmissionEntry.LOG_ID.of(log)
                | LogPage.RETAIN_EVENT.of(retain ? 1 : 0)
                | LogPage.NUMBER_OF_DWORDS_LOW.of(dwords & LogPage.NUMBER_OF_DWORDS_HIGH.mask());
        return NvmeCommand.of(Opcode.GET_LOG_PAGE)
                .namespace(namespaceId)
                .dword(10, (int) dword10)
                .dword(11, (int) LogPage.NUMBER_OF_DWORDS_HIGH.of(dwords >>> Short.SIZE))
                .qword(12, offset);
    }

    /**
     * The controller's health.
     *
     * @return the SMART log
     * @throws IOException if it fails
     */
    public SmartLog smart() throws IOException {
        return smart(ALL);
    }

    /**
     * The health of one namespace, where the controller has that.
     *
     * @param namespaceId the namespace; -1 for the whole controller
     * @return the SMART log
     * @throws IOException if it fails
     */
    public SmartLog smart(int namespaceId) throws IOException {
        MemorySegment data = read(LogPage.SMART, namespaceId, LogPage.SMART_INFORMATION.byteSize(), false);
        return new SmartLog(LogPage.SMART_INFORMATION.view(data));
    }

    /**
     * The last errors.
     *
     * @param most how many at most
     * @return the newest first; unused entries, whose count is 0, are there too
     * @throws IOException if it fails
     */
    public List<ErrorEntry> errors(int most) throws IOException {
        // ELPE is one less than what there is room for.
        int count = Math.min(most, controller.identity().data().getInt("elpe") + 1);
        MemorySegment data = read(LogPage.ERROR_INFORMATION, (long) count * LogPage.ERROR_ENTRY_BYTES);
        List<ErrorEntry> entries = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            entries.add(new ErrorEntry(LogPage.ERROR_ENTRY.view(data.asSlice((long) i * LogPage.ERROR_ENTRY_BYTES))));
        }
        return List.copyOf(entries);
    }

    /**
     * What the firmware slots hold.
     *
     * @return the slots
     * @throws IOException if it fails
     */
    public FirmwareSlots firmwareSlots() throws IOException {
        return FirmwareSlots.of(
                LogPage.FIRMWARE_SLOT_INFORMATION.view(
                        read(LogPage.FIRMWARE_SLOT, LogPage.FIRMWARE_SLOT_INFORMATION.byteSize())),
                controller.address());
    }

    /**
     * The namespaces that changed since this was read. The driver reads it itself when it is told of changes by an event.
     *
     * @return their identifiers, rising; only -1 if there are more than 1024
     * @throws IOException if it fails
     */
    public List<Integer> changedNamespaces() throws IOException {
        MemorySegment data = read(LogPage.CHANGED_NAMESPACES, Identify.SIZE_BYTES);
        List<Integer> ids = new ArrayList<>();
        int last = 0;
        for (int i = 0; i < CHANGED_NAMESPACES; i++) {
            int id = data.getAtIndex(ValueLayout.JAVA_INT, i);
            if (id == 0) {
                break;
            }
            if (Integer.compareUnsigned(id, last) <= 0) {
                throw new DeviceException(
                        controller.address() + " lists namespace " + Integer.toUnsignedString(id) + " after "
                                + Integer.toUnsignedString(last) + ": its log of changed namespaces makes no sense");
            }
            ids.add(id);
            last = id;
        }
        return List.copyOf(ids);
    }

    /**
     * The commands that the controller has, and what they do.
     *
     * @return the effects
     * @throws IOException if it fails
     */
    public Effects commandEffects() throws IOException {
        return new Effects(read(LogPage.COMMAND_EFFECTS, CommandEffects.LOG_BYTES));
    }

    /**
     * How far a self-test is, and how the last ones ended.
     *
     * @return the self-test log
     * @throws IOException if it fails
     */
    public SelfTestLog selfTests() throws IOException {
        return SelfTestLog.of(read(LogPage.SELF_TEST, SelfTestLog.SIZE_BYTES));
    }

    /**
     * How far a sanitize is, or how the last one ended.
     *
     * @return the sanitize log
     * @throws IOException if it fails
     */
    public SanitizeStatus sanitizeStatus() throws IOException {
        return new SanitizeStatus(
                LogPage.SANITIZE_STATUS.view(read(LogPage.SANITIZE, LogPage.SANITIZE_STATUS.byteSize())));
    }
}
