package dev.outboard.pci;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The list of names that the PCI ID project keeps, in its own format: a vendor or class at the start of a line, its
 * devices or subclasses on lines after one tab, theirs after two. Searched, not parsed: a few names out of a list of a
 * megabyte are wanted.
 */
final class PciIds {
    /** Where Debian and others have it. */
    private static final List<String> PLACES = List.of("usr/share/misc/pci.ids", "usr/share/hwdata/pci.ids");

    private final Path root;
    private volatile @Nullable String text;

    /** The list below a root; not read before it is needed. */
    PciIds(Path root) {
        this.root = root;
    }

    PciNames names(int vendorId, int deviceId, int classCode) throws IOException {
        String list = text();
        int vendor = find(list, 0, list.length(), "\n%04x  ".formatted(vendorId));
        int vendorEnd = endOfChildren(list, vendor, "\n\t");
        int device = find(list, vendor, vendorEnd, "\n\t%04x  ".formatted(deviceId));
        return new PciNames(lineAt(list, vendor), lineAt(list, device), className(list, classCode));
    }

    private static @Nullable String className(String list, int classCode) {
        int base = find(list, 0, list.length(), "\nC %02x  ".formatted(classCode >>> 16));
        int baseEnd = endOfChildren(list, base, "\n\t");
        int subclass = find(list, base, baseEnd, "\n\t%02x  ".formatted(classCode >>> 8 & 0xff));
        int subclassEnd = endOfChildren(list, subclass, "\n\t\t");
        int programming = find(list, subclass, subclassEnd, "\n\t\t%02x  ".formatted(classCode & 0xff));
        String exact = lineAt(list, subclass);
        String programmingName = lineAt(list, programming);
        if (exact == null) {
            return lineAt(list, base);
        }
        return programmingName == null ? exact : exact + " (" + programmingName + ")";
    }

    /** Where the name starts that follows a key; −1 if the key is not there, or the search starts nowhere. */
    private static int find(String list, int from, int to, String key) {
        int at = from < 0 ? -1 : list.indexOf(key, from, to);
        return at < 0 ? -1 : at + key.length();
    }

    private static int endOfChildren(String list, int from, String indentation) {
        int end = from < 0 ? -1 : list.indexOf('\n', from);
        while (end >= 0 && (list.startsWith(indentation, end) || list.startsWith("\n#", end))) {
            end = list.indexOf('\n', end + 1);
        }
        return end < 0 ? list.length() : end + 1;
    }

    private static @Nullable String lineAt(String list, int start) {
        if (start < 0) {
            return null;
        }
        int end = list.indexOf('\n', start);
        return list.substring(start, end < 0 ? list.length() : end).strip();
    }

    private String text() throws IOException {
        String known = text;
        if (known == null) {
            known = "";
            for (String place : PLACES) {
                Path file = root.resolve(place);
                if (known.isEmpty() && Files.isReadable(file)) {
                    // The newline lets every key start with one. Malformed bytes in a name do not matter.
                    known = "\n" + new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
                }
            }
            text = known;
        }
        return known;
    }
}
