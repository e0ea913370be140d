package dev.outboard.cli.reg;

import dev.outboard.cli.HexDump;
import dev.outboard.cli.Interruption;
import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.memory.DecodedRegister;
import dev.outboard.memory.Register;
import dev.outboard.memory.RegisterMap;
import dev.outboard.memory.RegisterTransfer;
import dev.outboard.memory.Registers;
import dev.outboard.pci.Pci;
import dev.outboard.pci.PciFunction;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code outboard reg dump}. */
@Command(
        name = "dump",
        description = {
            "Reads a region, or a part of it: with --names its registers, decoded; else words of --width.",
            "Registers that reading changes, and those that cannot be read, are left out and said to be."
        })
final class RegDumpCommand implements Callable<Integer> {
    // Some seconds, where an access is a message.
    private static final long UNASKED_BYTES = 1 << 20;
    private static final int CHUNK_BYTES = 4096;

    @Mixin
    private RegionOptions region = new RegionOptions();

    @Parameters(
            index = "2",
            arity = "0..1",
            paramLabel = "OFFSET",
            defaultValue = "0",
            description = "Where to start; unless told at the beginning of the region.")
    private String offset = "0";

    @Mixin
    private AccessOptions access = new AccessOptions();

    @Mixin
    private NamesOption names = new NamesOption();

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        region.check();
        RegisterMap map = names.map();
        int widthBytes = access.widthOr(Integer.SIZE) / Byte.SIZE;
        long start = map != null && (offset.isEmpty() || !Character.isDigit(offset.charAt(0)))
                ? map.get(offset).offset()
                : RegisterNumber.parse(offset);
        try (PciFunction function = Pci.open(region.device())) {
            Registers registers = region.registers(function);
            long length = length(registers, start, widthBytes, map != null);
            if (map != null) {
                dump(registers, map.touchedBy(start, length));
            } else {
                dump(registers, start, length, widthBytes);
            }
            function.checkPresent();
        }
        return 0;
    }

    private long length(Registers registers, long start, int widthBytes, boolean named) {
        Long count = access.count();
        long left = registers.sizeBytes() - start;
        if (start < 0 || left <= 0 || (count != null && count > left / widthBytes)) {
            throw new IndexOutOfBoundsException(
                    offset + (count == null ? "" : " --count " + count) + " is outside of " + region.region()
                            + ", which has " + registers.sizeBytes() + " bytes (0x"
                            + Long.toHexString(registers.sizeBytes()) + ")");
        }
        if (!named && start % widthBytes != 0) {
            throw new IllegalArgumentException(
                    offset + " is not a multiple of " + widthBytes + ", the width of the access in bytes");
        }
        if (!named && count == null && left > UNASKED_BYTES) {
            throw new IllegalArgumentException(
                    region.region() + " has " + left + " bytes from there on; say how many accesses with --count");
        }
        return count == null ? left - (named ? 0 : left % widthBytes) : count * widthBytes;
    }

    private void dump(Registers registers, List<Register> named) throws IOException {
        List<Object> document = new ArrayList<>();
        for (Register register : named) {
            if (Interruption.requested()) {
                return;
            }
            String notRead = notRead(register, registers);
            long value = notRead == null ? registers.read(register) : 0;
            if (output.json()) {
                Map<String, Object> json =
                        notRead == null ? register.decode(value).json() : DecodedRegister.definition(register);
                if (notRead != null) {
                    json.put("notRead", notRead);
                }
                document.add(json);
            } else if (notRead == null) {
                System.out.println(register.decode(value).text());
            } else {
                System.out.printf("%06x  %-12s not read: %s%n", register.offset(), register.name(), notRead);
            }
        }
        if (output.json()) {
            Map<String, Object> json = region.json();
            json.put("registers", document);
            Json.print(System.out, json);
        }
    }

    private @Nullable String notRead(Register register, Registers registers) {
        if (register.offset() > registers.sizeBytes() - register.widthBytes()) {
            return "outside of the region";
        }
        if (register.offset() % register.widthBytes() != 0) {
            return "not at a multiple of its width";
        }
        if (access.force()) {
            return null;
        }
        if (register.access().readChanges() || !register.access().isReadable()) {
            return register.access().words();
        }
        return register.readChanges() ? "some of its fields are changed by reading" : null;
    }

    private void dump(Registers registers, long start, long length, int widthBytes) throws IOException {
        RegisterTransfer transfer = RegisterTransfer.of(registers, widthBytes * Byte.SIZE);
        HexDump dump = new HexDump(System.out, start, widthBytes);
        StringBuilder hexadecimal = new StringBuilder();
        for (long done = 0; done < length && !Interruption.requested(); done += CHUNK_BYTES) {
            byte[] bytes = new byte[(int) Math.min(CHUNK_BYTES, length - done)];
            transfer.read(start + done, MemorySegment.ofArray(bytes));
            if (output.json()) {
                hexadecimal.append(HexFormat.of().formatHex(bytes));
            } else {
                dump.write(bytes);
            }
        }
        if (output.json()) {
            Map<String, Object> json = region.json();
            json.put("offset", start);
            json.put("widthBits", widthBytes * Byte.SIZE);
            json.put("data", hexadecimal.toString());
            Json.print(System.out, json);
        } else {
            dump.flush();
        }
    }
}
