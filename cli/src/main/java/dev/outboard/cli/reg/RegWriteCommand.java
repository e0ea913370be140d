package dev.outboard.cli.reg;

import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.driver.DeviceException;
import dev.outboard.memory.DecodedRegister;
import dev.outboard.memory.Field;
import dev.outboard.memory.FieldUpdate;
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

/** {@code outboard reg write}. */
@Command(
        name = "write",
        description = {
            "Writes registers, each in one access.",
            "With --mask, or with fields for a value, each is read first and its other bits are written back."
        })
final class RegWriteCommand implements Callable<Integer> {
    @Mixin
    private RegionOptions region = new RegionOptions();

    @Parameters(
            index = "2",
            paramLabel = "OFFSET",
            description = "A number of bytes, or with --names a register's name.")
    private String offset = "";

    @Parameters(
            index = "3",
            paramLabel = "VALUE",
            description = "A number; for a register with a name fields too: EN=1,SHN=NORMAL.")
    private String value = "";

    @Mixin
    private AccessOptions access = new AccessOptions();

    @Option(names = "--mask", paramLabel = "MASK", description = "Change these bits alone.")
    private @Nullable String mask;

    @Option(names = "--verify", description = "Read back what was written, and fail if it is something else.")
    private boolean verify;

    @Option(names = "--dry-run", description = "Say what would be written, and write nothing.")
    private boolean dryRun;

    @Option(names = "--destroy", description = "Yes, write; needed on anything but a model.")
    private boolean destroy;

    @Mixin
    private NamesOption names = new NamesOption();

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        region.check();
        RegisterMap map = names.map();
        List<Target> targets = Target.of(offset, access.width(), access.countOrOne(), map);
        FieldUpdate update = update(targets.getFirst().register());
        boolean whole = update.mask()
                == RegisterNumber.ones(targets.getFirst().register().widthBits());
        for (Target target : targets) {
            target.checkWrite(map, access.force());
            if (!whole || verify) {
                target.checkRead(map, access.force());
            }
            if (verify) {
                checkVerifiable(target.register(), update);
            }
        }
        if (!dryRun) {
            region.requireDestroy(destroy);
        }
        List<Object> written = new ArrayList<>();
        try (PciFunction function = Pci.open(region.device())) {
            Registers registers = region.registers(function);
            Target.checkInside(targets, registers, region.region());
            for (Target target : targets) {
                written.add(write(registers, target, update, whole));
            }
            function.checkPresent();
        }
        if (output.json()) {
            Map<String, Object> json = region.json();
            json.put("written", !dryRun);
            json.put("verified", verify && !dryRun);
            json.put("registers", written);
            Json.print(System.out, json);
        }
        return 0;
    }

    private Map<String, Object> write(Registers registers, Target target, FieldUpdate update, boolean whole)
            throws DeviceException {
        Register register = target.register();
        long word = update.bits();
        if (!whole) {
            Register.WriteBack writeBack = register.writeBack();
            word = update.applyTo((registers.read(register) & writeBack.kept()) | writeBack.ones());
        }
        if (!dryRun) {
            registers.write(register, word);
            if (verify) {
                verify(registers.read(register), word, update, register);
            }
        }
        if (!output.json()) {
            System.out.println((dryRun ? "would write " : "wrote ") + target.text(word));
        }
        return RegReadCommand.json(target, word);
    }

    private static void verify(long back, long word, FieldUpdate update, Register register) throws DeviceException {
        if (((back ^ word) & update.mask()) != 0) {
            int width = register.widthBits();
            throw new DeviceException(register.name() + " reads " + DecodedRegister.digits(back, width)
                    + " after " + DecodedRegister.digits(word, width)
                    + " was written; bits that differ: "
                    + DecodedRegister.digits((back ^ word) & update.mask(), width));
        }
    }

    private static void checkVerifiable(Register register, FieldUpdate update) {
        boolean same = register.access().readsWhatWasWritten();
        for (Field field : register.fields()) {
            Register.Access own = field.access();
            if (own != null && (field.mask() & update.mask()) != 0) {
                same &= own.readsWhatWasWritten();
            }
        }
        if (!same) {
            throw new IllegalArgumentException(register.name()
                    + " does not read what was written by its definition, so --verify cannot tell; leave it away or --mask"
                    + " those bits");
        }
    }

    /** What the value and the mask mean for a register. */
    private FieldUpdate update(Register register) {
        if (value.contains("=")) {
            if (mask != null) {
                throw new IllegalArgumentException("--mask is for numbers; fields have theirs");
            }
            FieldUpdate update = new FieldUpdate(0, 0);
            for (String assignment : value.split(",", -1)) {
                String[] sides = assignment.split("=", -1);
                if (sides.length != 2) {
                    throw new IllegalArgumentException("\"" + assignment + "\" is no assignment like EN=1");
                }
                Field field = register.field(sides[0].strip());
                update = update.and(field.to(number(field, sides[1].strip())));
            }
            return update;
        }
        long ones = RegisterNumber.ones(register.widthBits());
        long bits = RegisterNumber.parse(value, register.widthBits());
        long changed = mask == null ? ones : RegisterNumber.parse(mask, register.widthBits());
        return new FieldUpdate(changed, bits & changed);
    }

    private static long number(Field field, String text) {
        return !text.isEmpty()
                        && Character.isDigit(text.charAt(0))
                        && field.values().stream()
                                .noneMatch(named -> named.name().equalsIgnoreCase(text))
                ? RegisterNumber.parse(text)
                : field.valueOf(text);
    }
}
