package dev.outboard.emulation.nvme;

import dev.outboard.specs.nvme.CommandEffects;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import org.jspecify.annotations.Nullable;

/**
 * The admin commands, by a table that each group of commands fills. NVMe base specification 2.0, chapter 5. What no group
 * added is an invalid opcode: directives and virtualization among others.
 */
final class AdminCommands {
    private static final int OPCODES = 1 << Byte.SIZE;

    private final Sanitizer sanitizer;
    private final @Nullable Handler[] handlers = new Handler[OPCODES];
    private final int[] effects = new int[OPCODES];

    /** Carries out one kind of command. */
    interface Handler {
        /** Returns a status without flags, or {@link Command#PENDING}. */
        int execute(Command command);
    }

    AdminCommands(Sanitizer sanitizer) {
        this.sanitizer = sanitizer;
    }

    /** Adds a command, with what it does: {@link CommandEffects}. */
    void add(int opcode, int changes, Handler handler) {
        handlers[opcode] = handler;
        effects[opcode] = CommandEffects.SUPPORTED | changes;
    }

    int effects(int opcode) {
        return effects[opcode];
    }

    /** Carries out a command. Returns its status without flags, or {@link Command#PENDING}. */
    int execute(Command command) {
        Handler handler = handlers[command.opcode()];
        if (handler == null) {
            return command.invalid(SubmissionEntry.CDW0, Status.INVALID_OPCODE);
        }
        // Over PCI Express, SGLs are not for admin commands. NVMe base specification 2.0, 4.1.2.
        if (command.fuse() != 0 || command.pointerKind() != SubmissionEntry.PSDT_PRP) {
            return command.invalid(SubmissionEntry.CDW0);
        }
        if (sanitizer.isActive() && !isAllowedWhileSanitizing(command.opcode())) {
            return Status.SANITIZE_IN_PROGRESS;
        }
        return handler.execute(command);
    }

    // Figure 109.
    private static boolean isAllowedWhileSanitizing(int opcode) {
        return switch (opcode) {
            case Opcode.FIRMWARE_COMMIT,
                    Opcode.FIRMWARE_DOWNLOAD,
                    Opcode.FORMAT_NVM,
                    Opcode.NAMESPACE_MANAGEMENT,
                    Opcode.NAMESPACE_ATTACHMENT,
                    Opcode.DEVICE_SELF_TEST,
                    Opcode.SECURITY_SEND,
                    Opcode.SECURITY_RECEIVE -> false;
            default -> true;
        };
    }
}
