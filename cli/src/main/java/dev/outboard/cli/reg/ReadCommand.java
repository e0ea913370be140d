package dev.outboard.cli.reg;

import dev.outboard.cli.Json;
import dev.outboard.memory.RegisterMap;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code outboard reg read}, and so on. */
@Command(name = "read", description = "Reads registers, each in one access, and decodes those that have names.")
final class ReadCommand extends RegisterCommand {
    @Mixin
    private MaskOption mask = new MaskOption();

    ReadCommand(Place place) {
        super(place);
    }

    @Override
    void run(@Nullable RegisterMap map) throws IOException {
        String register = Objects.requireNonNull(place().register());
        List<Target> targets = Target.of(register, access(), map, place());
        long shown = mask.bits(targets.getFirst().register().widthBits());
        for (Target target : targets) {
            target.checkRead(map, access().force());
        }
        List<Object> values = new ArrayList<>();
        try (OpenRegisters registers = Target.open(targets, place(), Place.Purpose.READ)) {
            for (Target target : targets) {
                long value = registers.read(target.register()) & shown;
                if (json()) {
                    values.add(target.json(value));
                } else {
                    System.out.println(target.text(value));
                }
            }
            registers.checkPresent();
            if (json()) {
                Map<String, Object> json = document(registers);
                json.put("registers", values);
                Json.print(System.out, json);
            }
        }
    }
}
