package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.lang.foreign.MemorySegment;

/**
 * Security send and receive: protocol 0, which tells what protocols there are, and none else. NVMe base specification
 * 2.0, 5.25 and 5.26; SPC-5, 7.7.1.
 */
final class SecurityCommands {
    private static final int INFORMATION = 0;
    private static final int PROTOCOL_LIST = 0;
    private static final int CERTIFICATE = 1;
    private static final int LENGTH_LOW_BYTE = 7;
    private static final int PROTOCOLS = 1;

    private final DataPointer pointer;
    private final MemorySegment page;

    SecurityCommands(DataPointer pointer, MemorySegment page) {
        this.pointer = pointer;
        this.page = page;
    }

    void addTo(AdminCommands commands) {
        // There is no protocol that takes anything.
        commands.add(Opcode.SECURITY_SEND, 0, command -> command.invalid(SubmissionEntry.CDW10));
        commands.add(Opcode.SECURITY_RECEIVE, 0, this::receive);
    }

    private int receive(Command command) {
        int dword10 = command.dword(SubmissionEntry.CDW10);
        long specific = SubmissionEntry.SECURITY_SPECIFIC.get(dword10);
        if (SubmissionEntry.SECURITY_PROTOCOL.get(dword10) != INFORMATION || specific > CERTIFICATE) {
            return command.invalid(SubmissionEntry.CDW10);
        }
        page.fill((byte) 0);
        if (specific == PROTOCOL_LIST) {
            // A length, big-endian, then the protocols: protocol 0 itself. A certificate has the length 0.
            page.set(JAVA_BYTE, LENGTH_LOW_BYTE, (byte) PROTOCOLS);
        }
        long allocated = Integer.toUnsignedLong(command.dword(SubmissionEntry.CDW11));
        long bytes = Math.min(allocated, page.byteSize());
        return bytes == 0 ? Status.SUCCESS : pointer.toHost(command, page, 0, bytes);
    }
}
