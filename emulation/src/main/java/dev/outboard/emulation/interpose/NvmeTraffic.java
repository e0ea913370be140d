package dev.outboard.emulation.interpose;

import dev.outboard.specs.nvme.CompletionEntry;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Understands what passes between an NVMe driver and its controller: finds the queues in the registers and the admin
 * commands, then the commands and completions in the stores. Believes nothing that it has not seen; what makes no sense to
 * it, it ignores. NVMe base specification 2.0, 3.3.3 and 3.5.1.
 */
public final class NvmeTraffic {
    private static final int ADMIN = 0;
    private static final int UNKNOWN_OPCODE = -1;
    /** A controller may hold so many commands of one announcement at most: more is no queue. */
    private static final int MOST_ENTRIES = 1 << 16;

    /**
     * A command that was announced to the controller.
     *
     * @param queue the submission queue's identifier; 0 is the admin queue
     * @param opcode what to do, see {@link Opcode}
     * @param commandId its identifier
     * @param namespaceId the namespace
     * @param dwords10And11 the first of its own words: for reads and writes the first block
     * @param dword12 the next
     */
    public record Command(int queue, int opcode, int commandId, int namespaceId, long dwords10And11, int dword12) {
        /**
         * What it does.
         *
         * @return for example {@code "read"}
         */
        public String name() {
            return commandName(queue, opcode);
        }
    }

    /**
     * A completion that the driver is about to find.
     *
     * @param queue the submission queue of its command
     * @param opcode the opcode of its command; negative if that was never seen
     * @param commandId the command's identifier
     * @param status the status field; 0 is success
     * @param deviceAddress where the entry is
     * @param nextAddress where the next one will be
     */
    public record Completion(int queue, int opcode, int commandId, int status, long deviceAddress, long nextAddress) {
        /**
         * What was completed.
         *
         * @return for example {@code "read"}
         */
        public String name() {
            return opcode == UNKNOWN_OPCODE ? "unknown command" : commandName(queue, opcode);
        }
    }

    /** A ring: of the submission queue {@code position} is the tail last announced, of the other the next to be filled. */
    private static final class Ring {
        final long address;
        final int entries;
        int position;
        int phase = 1;

        Ring(long address, int entries) {
            this.address = address;
            this.entries = entries;
        }
    }

    private final DmaImage image = new DmaImage();
    private final Map<Long, Integer> words = new HashMap<>();
    private final Map<Integer, Ring> submissionQueues = new HashMap<>();
    private final Map<Integer, Ring> completionQueues = new HashMap<>();
    private final Map<Long, Integer> opcodes = new HashMap<>();
    private int strideShift;

    /** Nothing seen so far. */
    public NvmeTraffic() {}

    /**
     * The name of a command.
     *
     * @param queue its queue
     * @param opcode its opcode
     * @return for example {@code "read"}
     */
    static String commandName(int queue, int opcode) {
        return queue == ADMIN ? Opcode.adminName(opcode) : Opcode.ioName(opcode);
    }

    /**
     * New DMA memory.
     *
     * @param deviceAddress where
     * @param sizeBytes how much
     */
    public void allocated(long deviceAddress, long sizeBytes) {
        image.allocated(deviceAddress, sizeBytes);
    }

    /**
     * A register was read.
     *
     * @param region which registers
     * @param offset where
     * @param value what the driver saw
     */
    public void read(Region region, long offset, long value) {
        if (region == Region.BAR0 && offset == NvmeRegisters.CAP.offset()) {
            strideShift = (int) NvmeRegisters.CAP_DSTRD.get(value);
        }
    }

    /**
     * A register was written.
     *
     * @param region which registers
     * @param offset where
     * @param widthBytes how wide
     * @param value what
     * @return the commands that this announced
     */
    public List<Command> write(Region region, long offset, int widthBytes, long value) {
        if (region != Region.BAR0) {
            return List.of();
        }
        if (offset >= NvmeRegisters.DOORBELLS) {
            return rung(offset - NvmeRegisters.DOORBELLS, (int) value);
        }
        words.put(offset, (int) value);
        if (widthBytes == Long.BYTES) {
            words.put(offset + Integer.BYTES, (int) (value >>> Integer.SIZE));
        }
        if (offset == NvmeRegisters.CC.offset()) {
            submissionQueues.clear();
            completionQueues.clear();
            opcodes.clear();
            if (NvmeRegisters.CC_EN.isSet(value)) {
                long attributes = word(NvmeRegisters.AQA.offset());
                int submissions = (int) NvmeRegisters.AQA_ASQS.get(attributes) + 1;
                int completions = (int) NvmeRegisters.AQA_ACQS.get(attributes) + 1;
                submissionQueues.put(ADMIN, new Ring(address(NvmeRegisters.ASQ.offset()), submissions));
                completionQueues.put(ADMIN, new Ring(address(NvmeRegisters.ACQ.offset()), completions));
            }
        }
        return List.of();
    }

    private int word(long offset) {
        return words.getOrDefault(offset, 0);
    }

    private long address(long offset) {
        return Integer.toUnsignedLong(word(offset)) | (long) word(offset + Integer.BYTES) << Integer.SIZE;
    }

    private List<Command> rung(long offset, int tail) {
        long doorbell = offset >>> (2 + strideShift);
        int id = (int) (doorbell >>> 1);
        Ring ring = submissionQueues.get(id);
        if ((doorbell & 1) != 0 || ring == null || tail < 0 || tail >= ring.entries) {
            return List.of();
        }
        List<Command> commands = new ArrayList<>();
        while (ring.position != tail) {
            ByteBuffer entry = image.bytes(
                    ring.address + (long) ring.position * SubmissionEntry.SIZE_BYTES, SubmissionEntry.SIZE_BYTES);
            ring.position = ring.position + 1 == ring.entries ? 0 : ring.position + 1;
            int first = entry.getInt((int) SubmissionEntry.CDW0);
            Command command = new Command(
                    id,
                    (int) SubmissionEntry.OPCODE.get(first),
                    (int) SubmissionEntry.COMMAND_ID.get(first),
                    entry.getInt((int) SubmissionEntry.NSID),
                    entry.getLong((int) SubmissionEntry.CDW10),
                    entry.getInt((int) SubmissionEntry.CDW12));
            opcodes.put(key(id, command.commandId), command.opcode);
            if (id == ADMIN) {
                createQueue(command, entry.getLong((int) SubmissionEntry.PRP1));
            }
            commands.add(command);
        }
        return commands;
    }

    private static long key(int queue, int commandId) {
        return (long) queue << Short.SIZE | commandId;
    }

    private void createQueue(Command command, long address) {
        int id = (int) SubmissionEntry.QUEUE_ID.get(command.dwords10And11);
        int entries = (int) SubmissionEntry.QUEUE_SIZE.get(command.dwords10And11) + 1;
        if (id == ADMIN || entries > MOST_ENTRIES) {
            return;
        }
        if (command.opcode == Opcode.CREATE_IO_SUBMISSION_QUEUE) {
            submissionQueues.put(id, new Ring(address, entries));
        } else if (command.opcode == Opcode.CREATE_IO_COMPLETION_QUEUE) {
            completionQueues.put(id, new Ring(address, entries));
        }
    }

    /**
     * The driver stored something.
     *
     * @param stores what
     */
    public void toDevice(List<DmaStore> stores) {
        stores.forEach(image::apply);
    }

    /**
     * The device stored something.
     *
     * @param stores what
     * @return the completions that are new
     */
    public List<Completion> toDriver(List<DmaStore> stores) {
        if (stores.isEmpty()) {
            return List.of();
        }
        stores.forEach(image::apply);
        List<Completion> completions = new ArrayList<>();
        for (Ring ring : completionQueues.values()) {
            for (Completion found = next(ring); found != null; found = next(ring)) {
                completions.add(found);
            }
        }
        return completions;
    }

    /**
     * A completion as it is in memory.
     *
     * @param completion one that was just found
     * @return all of the entry
     */
    public DmaStore entry(Completion completion) {
        ByteBuffer entry = image.bytes(completion.deviceAddress, CompletionEntry.SIZE_BYTES);
        byte[] bytes = new byte[CompletionEntry.SIZE_BYTES];
        entry.get(bytes);
        return new DmaStore(completion.deviceAddress, bytes);
    }

    private @Nullable Completion next(Ring ring) {
        long address = ring.address + (long) ring.position * CompletionEntry.SIZE_BYTES;
        ByteBuffer entry = image.bytes(address, CompletionEntry.SIZE_BYTES);
        int last = entry.getInt((int) CompletionEntry.DW3);
        if (CompletionEntry.PHASE.get(last) != ring.phase) {
            return null;
        }
        if (++ring.position == ring.entries) {
            ring.position = 0;
            ring.phase ^= 1;
        }
        int queue = (int) CompletionEntry.SQ_ID.get(entry.getInt((int) CompletionEntry.DW2));
        int commandId = (int) CompletionEntry.COMMAND_ID.get(last);
        return new Completion(
                queue,
                opcodes.getOrDefault(key(queue, commandId), UNKNOWN_OPCODE),
                commandId,
                (int) CompletionEntry.STATUS.get(last),
                address,
                ring.address + (long) ring.position * CompletionEntry.SIZE_BYTES);
    }
}
