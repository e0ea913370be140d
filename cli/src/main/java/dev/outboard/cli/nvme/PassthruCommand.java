package dev.outboard.cli.nvme;

import dev.outboard.cli.DestroyOption;
import dev.outboard.cli.HexDump;
import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.driver.ByteSize;
import dev.outboard.nvme.AdminCommands;
import dev.outboard.nvme.NvmeController;
import dev.outboard.specs.nvme.Opcode;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
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
        if (!onlyReads()) {
            destroy.require(device.isModel(), "whatever this command changes on " + device);
        }
        if (write && (file == null || dataLength != null)) {
            throw new IllegalArgumentException("--write takes its data, and their length, from --file F");
        }
        byte[] sent = write && file != null ? Files.readAllBytes(file) : new byte[0];
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
            Files.write(file, bytes);
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
