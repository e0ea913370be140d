package dev.outboard.memory.svd;

import java.util.ArrayList;
import java.util.List;

/**
 * The elements of an array or a list: dimElementGroup of the format.
 *
 * @param names the name of each
 * @param increment how far apart they are, in bytes, or in bits for fields
 */
record SvdArray(List<String> names, long increment) {
    private static final int MAXIMUM_COUNT = 1 << 16;

    /** What an element stands for: itself if it has no dimension. */
    static SvdArray of(SvdElement element, SvdNumbers numbers, String file) throws SvdException {
        SvdElement nameElement = element.child("name");
        if (nameElement == null || nameElement.text().isEmpty()) {
            throw new SvdException(file, element.line(), "a " + element.name() + " without a name");
        }
        String name = nameElement.text();
        SvdElement dim = element.child("dim");
        if (dim == null) {
            return new SvdArray(List.of(name), 0);
        }
        SvdElement increment = element.child("dimIncrement");
        if (increment == null) {
            throw new SvdException(file, dim.line(), name + " has a dim and no dimIncrement");
        }
        int count = numbers.number(dim, 1, MAXIMUM_COUNT);
        List<String> indexes = indexes(element, count, file);
        List<String> names = new ArrayList<>();
        for (String index : indexes) {
            names.add(name.contains("%s") ? name.replace("[%s]", index).replace("%s", index) : name + index);
        }
        return new SvdArray(names, numbers.number(increment, 0, Integer.MAX_VALUE));
    }

    private static List<String> indexes(SvdElement element, int count, String file) throws SvdException {
        String text = element.text("dimIndex", "");
        List<String> indexes = new ArrayList<>();
        if (text.isEmpty()) {
            for (int i = 0; i < count; i++) {
                indexes.add(Integer.toString(i));
            }
        } else if (text.matches("[0-9]{1,9}-[0-9]{1,9}")) {
            int dash = text.indexOf('-');
            int first = Integer.parseInt(text.substring(0, dash));
            int last = Integer.parseInt(text.substring(dash + 1));
            for (int i = first; i <= last && indexes.size() <= count; i++) {
                indexes.add(Integer.toString(i));
            }
        } else if (text.matches("[A-Z]-[A-Z]")) {
            for (char c = text.charAt(0); c <= text.charAt(2); c++) {
                indexes.add(Character.toString(c));
            }
        } else {
            indexes.addAll(List.of(text.split("\\s*,\\s*", -1)));
        }
        if (indexes.size() != count) {
            throw new SvdException(
                    file, element.line(), "dimIndex " + text + " does not have as many elements as dim, " + count);
        }
        return indexes;
    }
}
