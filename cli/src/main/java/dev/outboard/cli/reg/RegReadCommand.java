package dev.outboard.cli.reg;

import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.memory.DecodedRegister;
import dev.outboard.memory.Register;
import dev.outboard.memory.RegisterMap;
import dev.outboard.memory.Registers;
import dev.outboard.pci.Pci;
import dev.outboard.pci.PciFunction;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code outboard reg read}. */
@Command(name = "read", description = "Reads registers, each in one access, and decodes those that have names.")
final class RegReadCommand implements Callable<Integer> {
    @Mixin
    private RegionOptions region = new RegionOptions();

    @Parameters(
            index = "2",
            paramLabel = "OFFSET",
            description = "A number of bytes, or with --names a register's name.")
    private String offset = "";

    @Mixin
    private AccessOptions access = new AccessOptions();

    @Option(names = "--mask", paramLabel = "MASK", description = "Show these bits alone.")
    private @Nullable String mask;

    @Mixin
    private NamesOption names = new NamesOption();

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        region.check();
        RegisterMap map = names.map();
        List<Target> targets = Target.of(offset, access.width(), access.countOrOne(), map);
        long shown = mask == null
                ? -1
                : RegisterNumber.parse(mask, targets.getFirst().register().widthBits());
        for (Target target : targets) {
            target.checkRead(map, access.force());
        }
        List<Object> values = new ArrayList<>();
        try (PciFunction function = Pci.open(region.device())) {
            Registers registers = region.registers(function);
            Target.checkInside(targets, registers, region.region());
            for (Target target : targets) {
                long value = registers.read(target.register()) & shown;
                if (output.json()) {
                    values.add(json(target, value));
                } else {
                    System.out.println(target.text(value));
                }
            }
            function.checkPresent();
        }
        if (output.json()) {
            Map<String, Object> json = region.json();
            json.put("registers", values);
            Json.print(System.out, json);
        }
        return 0;
    }

    /** A register and its value. */
    static Map<String, Object> json(Target target, long value) {
        Register register = target.register();
        if (target.named()) {
            return register.decode(value).json();
        }
        Map<String, Object> json = Json.object();
        json.put("offset", register.offset());
        json.put("widthBits", register.widthBits());
        json.put("value", DecodedRegister.digits(value, register.widthBits()));
        return json;
    }
}
