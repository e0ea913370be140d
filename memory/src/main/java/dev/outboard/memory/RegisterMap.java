package dev.outboard.memory;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The registers of a region, by name and by offset: what tools decode with. Registers may overlap, since one place can
 * have several meanings. Looking up is no hot path.
 *
 * @param name what the region is
 * @param registers the registers, in order of their offsets
 */
public record RegisterMap(String name, List<Register> registers) implements Iterable<Register> {
    private static final int SHOWN = 20;

    /** Sorts, and checks that each name is there once. */
    public RegisterMap {
        registers = registers.stream()
                .sorted(Comparator.comparingLong(Register::offset))
                .toList();
        Set<String> names = new HashSet<>();
        for (Register register : registers) {
            if (!names.add(register.name())) {
                throw new IllegalArgumentException(name + " has two registers " + register.name());
            }
            if (register.offset() < 0 || register.offset() > Long.MAX_VALUE - register.widthBytes()) {
                throw new IllegalArgumentException(register.name() + " has the offset " + register.offset());
            }
        }
    }

    /**
     * A map of registers.
     *
     * @param name what the region is
     * @param registers the registers
     * @return the map
     */
    public static RegisterMap of(String name, Register... registers) {
        return new RegisterMap(name, List.of(registers));
    }

    /**
     * This map and an array of registers.
     *
     * @param array the array
     * @return a map with both
     */
    public RegisterMap with(RegisterArray array) {
        List<Register> all = new ArrayList<>(registers);
        all.addAll(array.registers());
        return new RegisterMap(name, all);
    }

    /**
     * The same registers further on, for a block of registers inside of a region.
     *
     * @param baseBytes how far
     * @return the map
     */
    public RegisterMap shiftedBy(long baseBytes) {
        return new RegisterMap(
                name,
                registers.stream()
                        .map(register -> register.at(Math.addExact(register.offset(), baseBytes)))
                        .toList());
    }

    /**
     * A register by its name.
     *
     * @param registerName its name; if none is written like that, in any case
     * @return the register, if there is one
     */
    public Optional<Register> find(String registerName) {
        Optional<Register> exact = registers.stream()
                .filter(register -> register.name().equals(registerName))
                .findFirst();
        return exact.or(() -> registers.stream()
                .filter(register -> register.name().equalsIgnoreCase(registerName))
                .findFirst());
    }

    /**
     * A register by its name.
     *
     * @param registerName its name; if none is written like that, in any case
     * @return the register
     * @throws IllegalArgumentException if there is none
     */
    public Register get(String registerName) {
        return find(registerName)
                .orElseThrow(() -> new IllegalArgumentException(name + " has no register \""
                        + registerName + "\"; it has "
                        + registers.stream().limit(SHOWN).map(Register::name).toList()
                        + (registers.size() > SHOWN ? " and " + (registers.size() - SHOWN) + " more" : "")));
    }

    /**
     * The register that starts at an offset.
     *
     * @param offset the offset, in bytes
     * @return the first that starts there, if one does
     */
    public Optional<Register> at(long offset) {
        return registers.stream()
                .filter(register -> register.offset() == offset)
                .findFirst();
    }

    /**
     * The registers that an access touches.
     *
     * @param offset where it starts, in bytes
     * @param lengthBytes how many bytes it takes
     * @return the registers of which at least one byte lies there
     */
    public List<Register> touchedBy(long offset, long lengthBytes) {
        return registers.stream()
                .filter(register ->
                        register.offset() - offset < lengthBytes && offset - register.offset() < register.widthBytes())
                .toList();
    }

    @Override
    public Iterator<Register> iterator() {
        return registers.iterator();
    }
}
