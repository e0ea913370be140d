package dev.outboard.memory.svd;

import dev.outboard.memory.Field;
import dev.outboard.memory.Register;
import dev.outboard.memory.Register.Access;
import dev.outboard.memory.RegisterMap;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Makes definitions of a document. */
final class SvdReader {
    // A file of some lines can ask for any number of registers by arrays in arrays.
    private static final int MAXIMUM_REGISTERS = 1 << 18;
    private static final int BYTE_ADDRESSED = Byte.SIZE;

    private final String file;
    private final SvdNumbers numbers;
    private int expanded;

    SvdReader(String file) {
        this.file = file;
        this.numbers = new SvdNumbers(file);
    }

    SvdDevice device(SvdElement root) throws SvdException {
        if (!root.name().equals("device")) {
            throw new SvdException(
                    file, root.line(), "starts with <" + root.name() + ">; a CMSIS-SVD file starts with <device>");
        }
        SvdElement unit = root.child("addressUnitBits");
        if (unit != null && numbers.number(unit) != BYTE_ADDRESSED) {
            throw new SvdException(file, unit.line(), "addressUnitBits is " + unit.text() + "; only 8 is understood");
        }
        String name = root.text("name", "device");
        DeviceReader reader = new DeviceReader(name, new SvdDerivation(file, root));
        SvdProperties properties = SvdProperties.DEFAULT.in(root, numbers);
        List<SvdPeripheral> peripherals = new ArrayList<>();
        SvdElement container = root.child("peripherals");
        if (container != null) {
            for (SvdElement peripheral : container.children("peripheral")) {
                reader.peripheral(peripheral, properties, peripherals);
            }
        }
        if (peripherals.isEmpty()) {
            throw new SvdException(file, root.line(), "has no peripherals");
        }
        return new SvdDevice(name, root.text("description", ""), peripherals);
    }

    private long number(SvdElement element, String name) throws SvdException {
        SvdElement child = element.child(name);
        if (child == null) {
            throw new SvdException(file, element.line(), element.text("name", element.name()) + " has no " + name);
        }
        return numbers.number(child);
    }

    private void count(SvdElement element) throws SvdException {
        if (++expanded > MAXIMUM_REGISTERS) {
            throw new SvdException(
                    file, element.line(), "more than " + MAXIMUM_REGISTERS + " registers and clusters in all");
        }
    }

    private final class DeviceReader {
        private final String device;
        private final SvdDerivation derivation;
        private final SvdFields fields;

        DeviceReader(String device, SvdDerivation derivation) {
            this.device = device;
            this.derivation = derivation;
            this.fields = new SvdFields(file, numbers, derivation);
        }

        void peripheral(SvdElement raw, SvdProperties outer, List<SvdPeripheral> peripherals) throws SvdException {
            SvdElement element = derivation.complete(raw, "");
            SvdArray array = SvdArray.of(element, numbers, file);
            long base = number(element, "baseAddress");
            SvdProperties properties = outer.in(element, numbers);
            for (int i = 0; i < array.names().size(); i++) {
                count(element);
                String name = array.names().get(i);
                List<Register> registers = new ArrayList<>();
                SvdElement container = element.child("registers");
                if (container != null) {
                    Block block = new Block(name, element.text("name", ""), "", 0, properties);
                    block(container, block, registers);
                }
                peripherals.add(new SvdPeripheral(
                        name,
                        base + i * array.increment(),
                        element.text("description", ""),
                        map(element, name, registers)));
            }
        }

        private RegisterMap map(SvdElement element, String name, List<Register> registers) throws SvdException {
            try {
                return new RegisterMap(name, registers);
            } catch (IllegalArgumentException e) {
                throw new SvdException(file, element.line(), String.valueOf(e.getMessage()), e);
            }
        }

        /** What is in a peripheral or a cluster. */
        private void block(SvdElement container, Block block, List<Register> registers) throws SvdException {
            Set<String> names = new HashSet<>();
            for (SvdElement child : container.children()) {
                switch (child.name()) {
                    case "register" -> register(derivation.complete(child, block.scope()), block, names, registers);
                    case "cluster" -> cluster(derivation.complete(child, block.scope()), block, registers);
                    default -> {}
                }
            }
        }

        private void cluster(SvdElement element, Block block, List<Register> registers) throws SvdException {
            SvdArray array = SvdArray.of(element, numbers, file);
            long first = number(element, "addressOffset");
            for (int i = 0; i < array.names().size(); i++) {
                count(element);
                Block inner = new Block(
                        block.peripheral(),
                        SvdDerivation.join(block.scope(), element.text("name", "")),
                        SvdDerivation.join(block.prefix(), array.names().get(i)),
                        block.offset() + first + i * array.increment(),
                        block.properties().in(element, numbers));
                block(element, inner, registers);
            }
        }

        private void register(SvdElement element, Block block, Set<String> names, List<Register> registers)
                throws SvdException {
            SvdArray array = SvdArray.of(element, numbers, file);
            SvdProperties properties = block.properties().in(element, numbers);
            Register first = register(element, block, properties);
            for (int i = 0; i < array.names().size(); i++) {
                count(element);
                String name = array.names().get(i);
                // The one kind of name that may be there twice.
                String group = element.text("alternateGroup", "");
                String unique = names.add(name) || group.isEmpty() ? name : name + "_" + group;
                registers.add(first.at(first.offset() + i * array.increment())
                        .named(SvdDerivation.join(block.prefix(), unique)));
            }
        }

        private Register register(SvdElement element, Block block, SvdProperties properties) throws SvdException {
            String name = element.text("name", "");
            List<Field> itsFields = fields.fields(element, SvdDerivation.join(block.scope(), name), properties);
            Access access = properties.access() == null ? common(itsFields) : null;
            Access rule = access == null ? properties.rule(element, file) : access;
            List<Field> different = itsFields.stream()
                    .map(field -> field.access() == rule ? plain(field) : field)
                    .toList();
            try {
                return new Register(
                                name,
                                block.offset() + number(element, "addressOffset"),
                                properties.sizeBits(),
                                rule,
                                device + " " + block.peripheral(),
                                different)
                        .describedAs(element.text("description", ""));
            } catch (IllegalArgumentException e) {
                throw new SvdException(file, element.line(), String.valueOf(e.getMessage()), e);
            }
        }

        /** Many files say for the fields alone what reading and writing do. */
        private @Nullable Access common(List<Field> itsFields) {
            Set<@Nullable Access> all = new HashSet<>();
            itsFields.forEach(field -> all.add(field.access()));
            return all.size() == 1 ? itsFields.getFirst().access() : null;
        }

        private Field plain(Field field) {
            return new Field(
                    field.name(), field.lowBit(), field.widthBits(), null, field.values(), field.description());
        }
    }

    /** Where registers are: the names and the offset of what is around them. */
    private record Block(String peripheral, String scope, String prefix, long offset, SvdProperties properties) {}
}
