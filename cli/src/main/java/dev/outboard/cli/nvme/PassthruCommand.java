package dev.outboard.cli.nvme;

import dev.outboard.cli.DestroyOption;
import dev.outboard.cli.HexDump;
import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.cli.NamedFile;
import dev.outboard.driver.ByteSize;
import dev.outboard.nvme.AdminCommands;
import dev.outboard.nvme.NvmeController;
import dev.outboard.specs.nvme.NamespaceCommand;
import dev.outboard.specs.nvme.Opcode;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code outboard nvme passthru}. */
@Command(
        name = "passthru",
        aliases = "admin-passthru",
        description = {
            "Sends any admin command.",
            "Data that it brings are shown, or written to --file; data that it takes are read from --file."
        })
final class PassthruCommand implements Callable<Integer> {
    private static final int FIRST_DWORD = 10;
    private static final int LAST_OPCODE = 0xff;
    private static final int TRANSFER = 0b11;
    private static final int TRANSFER_TO_CONTROLLER = 0b01;
    private static final int TRANSFER_FROM_CONTROLLER = 0b10;
    /** Of dword 10 of get and set features. */
    private static final int FEATURE_ID = 0xff;

    @Mixin
    private DeviceOptions device = new DeviceOptions();

    @Option(names = "--opcode", paramLabel = "N", required = true, description = "Which command, for example 0x06.")
    private ByteSize opcode = new ByteSize(0);

    @Option(names = "--cdw10", paramLabel = "N", defaultValue = "0", description = "Command dword 10.")
    private ByteSize dword10 = new ByteSize(0);

    @Option(names = "--cdw11", paramLabel = "N", defaultValue = "0", description = "Command dword 11.")
    private ByteSize dword11 = new ByteSize(0);

    @Option(names = "--cdw12", paramLabel = "N", defaultValue = "0", description = "Command dword 12.")
    private ByteSize dword12 = new ByteSize(0);

    @Option(names = "--cdw13", paramLabel = "N", defaultValue = "0", description = "Command dword 13.")
    private ByteSize dword13 = new ByteSize(0);

    @Option(names = "--cdw14", paramLabel = "N", defaultValue = "0", description = "Command dword 14.")
    private ByteSize dword14 = new ByteSize(0);

    @Option(names = "--cdw15", paramLabel = "N", defaultValue = "0", description = "Command dword 15.")
    private ByteSize dword15 = new ByteSize(0);

    @Option(names = "--data-len", paramLabel = "S", description = "How much data it brings.")
    private @Nullable ByteSize dataLength;

    @Option(names = "--write", description = "It takes data, from --file, instead of bringing some.")
    private boolean write;

    @Option(names = "--file", paramLabel = "F", description = "Where its data go, or come from.")
    private @Nullable Path file;

    @Mixin
    private DestroyOption destroy = new DestroyOption();

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        checkTransfer();
        if (!onlyReads()) {
            destroy.require(device.isModel(), "whatever this command changes on " + device);
        }
        byte[] sent = write && file != null ? new NamedFile(file).read() : new byte[0];
        if (write) {
            checkLength("the length of --file " + file, sent.length);
        }
        try (NvmeController controller = device.open()) {
            AdminCommands admin = controller.admin().withTimeout(DeviceOptions.LONG);
            if (write) {
                result(admin.send(command(), MemorySegment.ofArray(sent)));
            } else if (dataLength != null) {
                received(admin.receive(command(), dataLength.bytes()));
            } else {
                result(admin.execute(command()));
            }
        }
        return 0;
    }

    /**
     * Refuses a command that transfers data without a buffer, or one that is too small: the controller would reach for
     * memory that is not its own. The two lowest bits of an opcode say which way it transfers. NVMe base specification
     * 2.0, 3.1.2 and figure 88.
     */
    private void checkTransfer() {
        int code = checkedOpcode();
        String name = String.format("--opcode 0x%02x", code);
        if (write && (file == null || dataLength != null)) {
            throw new IllegalArgumentException("--write takes its data, and their length, from --file F");
        }
        if (dataLength != null) {
            checkLength("--data-len", dataLength.bytes());
        }
        int direction = transfersNothing(code) ? 0 : code & TRANSFER;
        if (direction == TRANSFER_TO_CONTROLLER && !write) {
            throw new IllegalArgumentException(name + " transfers data to the controller: give --write --file F");
        }
        if (direction == TRANSFER_FROM_CONTROLLER && dataLength == null) {
            throw new IllegalArgumentException(name + " transfers data from the controller: give --data-len");
        }
        if (direction == TRANSFER && !write && dataLength == null) {
            throw new IllegalArgumentException(
                    name + " transfers data both ways: give --data-len, or --write --file F, with room for both");
        }
        long brought = AdminCommands.leastBytes(command());
        if (dataLength != null && dataLength.bytes() < brought) {
            throw new IllegalArgumentException(
                    name + " brings " + brought + " bytes here: give --data-len " + brought + ", at least");
        }
    }

    private int checkedOpcode() {
        if (opcode.bytes() > LAST_OPCODE) {
            throw new IllegalArgumentException("--opcode is 0 to 0xff, not " + opcode.bytes());
        }
        int code = (int) opcode.bytes();
        if (AdminCommands.isForDriver(code)) {
            throw new IllegalArgumentException(String.format(
                    "--opcode 0x%02x (%s) is for the driver alone, which has sent it where it needs it",
                    code, Opcode.adminName(code)));
        }
        return code;
    }

    /** Commands whose opcode speaks of data that what they are asked for does not have. */
    private boolean transfersNothing(int code) {
        return switch (code) {
            case Opcode.GET_FEATURES, Opcode.SET_FEATURES -> FeaturesCommand.isNumber(word(dword10) & FEATURE_ID);
            case Opcode.NAMESPACE_MANAGEMENT -> NamespaceCommand.SELECT.get(word(dword10)) == NamespaceCommand.DELETE;
            default -> false;
        };
    }

    private static void checkLength(String what, long bytes) {
        if (bytes < Integer.BYTES || bytes % Integer.BYTES != 0) {
            throw new IllegalArgumentException(what + " is a multiple of 4 bytes, at least 4, not " + bytes);
        }
    }

    private boolean onlyReads() {
        return switch (word(opcode)) {
            case Opcode.IDENTIFY, Opcode.GET_LOG_PAGE, Opcode.GET_FEATURES -> true;
            default -> false;
        };
    }

    private dev.outboard.nvme.NvmeCommand command() {
        dev.outboard.nvme.NvmeCommand command =
                dev.outboard.nvme.NvmeCommand.of(word(opcode)).namespace(device.namespaceIdOr(0));
        ByteSize[] dwords = {dword10, dword11, dword12, dword13, dword14, dword15};
        for (int i = 0; i < dwords.length; i++) {
            command.dword(FIRST_DWORD + i, word(dwords[i]));
        }
        return command;
    }

    private static int word(ByteSize number) {
        if (number.bytes() >>> Integer.SIZE != 0) {
            throw new IllegalArgumentException(number.bytes() + " does not fit the 32 bits of a dword");
        }
        return (int) number.bytes();
    }

    private void result(int dword0) throws IOException {
        if (output.json()) {
            Map<String, Object> json = Json.object();
            json.put("result", Integer.toUnsignedLong(dword0));
            Json.print(System.out, json);
        } else {
            System.out.printf("result 0x%08x%n", dword0);
        }
    }

    private void received(MemorySegment data) throws IOException {
        byte[] bytes = data.toArray(ValueLayout.JAVA_BYTE);
        if (file != null) {
            new NamedFile(file).write(bytes);
        }
        if (output.json()) {
            Map<String, Object> json = Json.object();
            json.put("bytes", bytes.length);
            if (file == null) {
                json.put("data", HexFormat.of().formatHex(bytes));
            }
            Json.print(System.out, json);
        } else if (file == null) {
            HexDump dump = new HexDump(System.out, 0);
            dump.write(bytes);
            dump.flush();
        }
    }
}
