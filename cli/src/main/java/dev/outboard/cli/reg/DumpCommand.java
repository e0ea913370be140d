package dev.outboard.cli.reg;

import dev.outboard.cli.HexDump;
import dev.outboard.cli.Interruption;
import dev.outboard.cli.Json;
import dev.outboard.memory.DecodedRegister;
import dev.outboard.memory.Register;
import dev.outboard.memory.RegisterMap;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;

/** {@code outboard reg dump}, and so on. */
@Command(
        name = "dump",
        description = {
            "Reads a region, or a part of it: with --names its registers, decoded; else words of --width.",
            "Registers that reading changes, and those that cannot be read, are left out and said to be."
        })
final class DumpCommand extends RegisterCommand {
    // Some seconds, where an access is a message.
    private static final long UNASKED_BYTES = 1 << 20;
    private static final int CHUNK_BYTES = 4096;

    DumpCommand(Place place) {
        super(place);
    }

    @Override
    boolean registerIsOptional() {
        return true;
    }

    @Override
    void run(@Nullable RegisterMap map) throws IOException {
        int widthBytes = access().widthOr(place().usualWidth()) / Byte.SIZE;
        long start = start(map);
        if (map == null && start % widthBytes != 0) {
            throw new IllegalArgumentException(
                    where() + " is not a multiple of " + widthBytes + ", the width of the access in bytes");
        }
        try (OpenRegisters registers = place().open(start, wantedBytes(map, start, widthBytes), Place.Purpose.READ)) {
            long length = length(registers, start, widthBytes, map != null);
            if (map != null) {
                dump(registers, map.touchedBy(start, length));
            } else {
                dump(registers, start, length, widthBytes);
            }
            registers.checkPresent();
        }
    }

    private String where() {
        String register = place().register();
        return register == null ? "the beginning" : register;
    }

    private long start(@Nullable RegisterMap map) {
        String register = place().register();
        if (register == null) {
            if (place().usualDumpBytes(0) == null) {
                return 0;
            }
            if (map == null || map.registers().isEmpty()) {
                throw new IllegalArgumentException("dump what? Say an " + place().label() + ", or --names and --base");
            }
            return map.registers().getFirst().offset();
        }
        boolean name = register.isEmpty() || !Character.isDigit(register.charAt(0));
        long start = map != null && name ? map.get(register).offset() : RegisterNumber.parse(register);
        if (start < 0) {
            throw new IndexOutOfBoundsException(register + " is beyond every region");
        }
        return start;
    }

    /** How much must be open, where that has to be said. */
    private long wantedBytes(@Nullable RegisterMap map, long start, int widthBytes) {
        Long count = access().count();
        Long usual = place().usualDumpBytes(start);
        if (count != null) {
            return count * widthBytes;
        }
        if (usual == null) {
            return 1;
        }
        return map == null
                ? usual
                : Math.max(
                        1,
                        map.registers().stream()
                                        .mapToLong(register -> register.offset() + register.widthBytes())
                                        .max()
                                        .orElse(0)
                                - start);
    }

    private long length(OpenRegisters registers, long start, int widthBytes, boolean named) {
        Long count = access().count();
        long left = registers.bytesFrom(start);
        if (left <= 0 || (count != null && count > left / widthBytes)) {
            throw new IndexOutOfBoundsException(
                    where() + (count == null ? "" : " --count " + count) + " is outside of " + registers.size());
        }
        if (!named && count == null && left > UNASKED_BYTES) {
            throw new IllegalArgumentException(
                    registers.name() + " has " + left + " bytes from there on; say how many accesses with --count");
        }
        return count == null ? left - (named ? 0 : left % widthBytes) : count * widthBytes;
    }

    private void dump(OpenRegisters registers, List<Register> named) throws IOException {
        List<Object> document = new ArrayList<>();
        for (Register register : named) {
            if (Interruption.requested()) {
                return;
            }
            String notRead = notRead(register, registers);
            long value = notRead == null ? registers.read(register) : 0;
            if (json()) {
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
        if (json()) {
            Map<String, Object> json = document(registers);
            json.put("registers", document);
            Json.print(System.out, json);
        }
    }

    private @Nullable String notRead(Register register, OpenRegisters registers) {
        if (registers.bytesFrom(register.offset()) < register.widthBytes()) {
            return "outside of the region";
        }
        if (register.offset() % register.widthBytes() != 0) {
            return "not at a multiple of its width";
        }
        if (access().force()) {
            return null;
        }
        if (register.access().readChanges() || !register.access().isReadable()) {
            return register.access().words();
        }
        return register.readChanges() ? "some of its fields are changed by reading" : null;
    }

    private void dump(OpenRegisters registers, long start, long length, int widthBytes) throws IOException {
        HexDump dump = new HexDump(System.out, start, widthBytes);
        StringBuilder hexadecimal = new StringBuilder();
        for (long done = 0; done < length && !Interruption.requested(); done += CHUNK_BYTES) {
            byte[] bytes = new byte[(int) Math.min(CHUNK_BYTES, length - done)];
            registers.read(start + done, widthBytes * Byte.SIZE, bytes);
            if (json()) {
                hexadecimal.append(HexFormat.of().formatHex(bytes));
            } else {
                dump.write(bytes);
            }
        }
        if (json()) {
            Map<String, Object> json = document(registers);
            json.put("offset", start);
            json.put("widthBits", widthBytes * Byte.SIZE);
            json.put("data", hexadecimal.toString());
            Json.print(System.out, json);
        } else {
            dump.flush();
        }
    }
}
