package dev.outboard.memory;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Registers that are alike, at equal distances.
 *
 * @param name the name of an element, in which {@code %s} stands for its index; without one the index is put behind it
 * @param first the first
 * @param count how many there are, at least 1
 * @param strideBytes how far apart they are, at least their width and a multiple of it
 */
public record RegisterArray(String name, Register first, int count, long strideBytes) {
    /** Checks that the registers do not overlap and have offsets. */
    public RegisterArray {
        if (count < 1) {
            throw new IllegalArgumentException(name + " has " + count + " registers; an array has at least one");
        }
        if (strideBytes < first.widthBytes() || strideBytes % first.widthBytes() != 0) {
            throw new IllegalArgumentException(name + " has a stride of " + strideBytes + " bytes for registers of "
                    + first.widthBytes() + "; it must be a multiple of that");
        }
        if (first.offset() < 0 || strideBytes > (Long.MAX_VALUE - first.offset()) / count) {
            throw new IllegalArgumentException(name + " ends beyond what an offset can be");
        }
    }

    /**
     * One of the registers, under the first one's name. Costs nothing over the bare offset once compiled.
     *
     * @param index which, from 0
     * @return the definition
     * @throws IndexOutOfBoundsException if there is no such register
     */
    public Register at(int index) {
        return first.at(first.offset() + Objects.checkIndex(index, count) * strideBytes);
    }

    /**
     * All of them, each under its own name, for {@linkplain RegisterMap maps}.
     *
     * @return the definitions
     */
    public List<Register> registers() {
        List<Register> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            all.add(at(i).named(name.contains("%s") ? name.replace("%s", Integer.toString(i)) : name + i));
        }
        return all;
    }
}
