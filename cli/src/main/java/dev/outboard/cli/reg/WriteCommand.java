package dev.outboard.cli.reg;

import dev.outboard.cli.DestroyOption;
import dev.outboard.cli.Json;
import dev.outboard.driver.DeviceException;
import dev.outboard.memory.DecodedRegister;
import dev.outboard.memory.Field;
import dev.outboard.memory.FieldUpdate;
import dev.outboard.memory.Register;
import dev.outboard.memory.RegisterMap;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code outboard reg write}, and so on. */
@Command(
        name = "write",
        description = {
            "Writes registers, each in one access.",
            "With --mask, or with fields for a value, each is read first and its other bits are written back."
        })
final class WriteCommand extends RegisterCommand {
    @Mixin
    private MaskOption mask = new MaskOption();

    @Option(names = "--verify", description = "Read back what was written, and fail if it is something else.")
    private boolean verify;

    @Option(names = "--dry-run", description = "Say what would be written, and write nothing.")
    private boolean dryRun;

    @Mixin
    private DestroyOption destroy = new DestroyOption();

    private boolean printedOwners;

    WriteCommand(Place place) {
        super(place);
    }

    @Override
    boolean takesValue() {
        return true;
    }

    @Override
    void run(@Nullable RegisterMap map) throws IOException {
        String where = Objects.requireNonNull(place().register());
        List<Target> targets = Target.of(where, access(), map, place());
        Register first = targets.getFirst().register();
        FieldUpdate update = update(first);
        boolean whole = update.mask() == RegisterNumber.ones(first.widthBits());
        for (Target target : targets) {
            target.checkWrite(map, access().force());
            if (!whole || verify) {
                target.checkRead(map, access().force());
            }
            if (verify) {
                checkVerifiable(target.register(), update);
            }
        }
        if (!dryRun) {
            destroy.require(
                    place().isModel(),
                    "what these registers of " + place().subject()
                            + " hold (--dry-run shows them), and with a wrong one data or the whole machine");
        }
        if (!access().force()) {
            place().refuseOwned(Target.first(targets), Target.lengthBytes(targets));
        }
        List<Object> written = new ArrayList<>();
        // Nothing is written in a dry run, so it may look at what a driver has.
        Place.Purpose purpose = dryRun ? Place.Purpose.READ : Place.Purpose.WRITE;
        try (OpenRegisters registers = Target.open(targets, place(), purpose)) {
            for (Target target : targets) {
                written.add(write(registers, target, update, whole));
            }
            registers.checkPresent();
            if (json()) {
                Map<String, Object> json = document(registers);
                json.put("written", !dryRun);
                json.put("verified", verify && !dryRun);
                json.put("registers", written);
                Json.print(System.out, json);
            }
        }
    }

    private Map<String, Object> write(OpenRegisters registers, Target target, FieldUpdate update, boolean whole)
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
        if (!json()) {
            printOwners(registers, register);
            System.out.println((dryRun ? "would write " : "wrote ") + target.text(word));
        }
        return target.json(word);
    }

    /** Says once what is there. */
    private void printOwners(OpenRegisters registers, Register register) {
        List<String> owners = registers.owners();
        if (owners != null && !printedOwners) {
            System.out.println(registers.name() + " at 0x" + Long.toHexString(register.offset()) + " is "
                    + (owners.isEmpty() ? "nobody's that the kernel knows" : String.join(", ", owners)));
            printedOwners = true;
        }
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
        String value = place().value();
        if (value.contains("=")) {
            if (mask.isGiven()) {
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
        long bits = RegisterNumber.parse(value, register.widthBits());
        long changed = mask.bits(register.widthBits());
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
