package dev.outboard.rig;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The machine's own package sources, to be copied with another suite: so the rig fetches from where the machine's owner
 * fetches, and no address stands in this project. Both formats of sources.list(5) are read.
 */
final class AptSources {
    private static final Pattern ONE_LINE = Pattern.compile("deb\\s+(\\[[^]]*]\\s+)?(\\S+)\\s+(\\S+)\\s+(\\S.*)");

    private AptSources() {}

    /**
     * Finds the sources that carry one of the suites, and returns each with the suite changed, as a deb822 stanza.
     * Other people's repositories may use Debian's names for suites too, so all that fit are returned.
     */
    static List<String> withSuite(Path sourceList, Path sourceParts, List<String> suites, String wanted)
            throws IOException {
        List<Path> files = new ArrayList<>();
        if (Files.isRegularFile(sourceList)) {
            files.add(sourceList);
        }
        if (Files.isDirectory(sourceParts)) {
            try (Stream<Path> parts = Files.list(sourceParts)) {
                parts.sorted().forEach(files::add);
            }
        }
        List<String> found = new ArrayList<>();
        for (Path file : files) {
            String name = file.getFileName().toString();
            if (name.endsWith(".sources")) {
                found.addAll(fromStanzas(Files.readString(file), suites, wanted));
            } else if (name.endsWith(".list")) {
                found.addAll(fromLines(Files.readString(file), suites, wanted));
            }
        }
        return found.stream().distinct().toList();
    }

    static List<String> fromStanzas(String text, List<String> suites, String wanted) {
        List<String> found = new ArrayList<>();
        String withoutComments = text.replaceAll("(?m)^#.*\\R?", "");
        for (String stanza : withoutComments.split("\\n[ \\t]*\\n", -1)) {
            Map<String, String> fields = fields(stanza);
            boolean usable = words(fields, "types").contains("deb")
                    && !fields.getOrDefault("enabled", "yes").strip().equalsIgnoreCase("no")
                    && words(fields, "components").contains("main")
                    && words(fields, "suites").stream().anyMatch(suites::contains);
            if (usable) {
                fields.put("types", " deb");
                fields.put("suites", " " + wanted);
                fields.put("components", " main");
                found.add(stanza(fields));
            }
        }
        return found;
    }

    static List<String> fromLines(String text, List<String> suites, String wanted) {
        List<String> found = new ArrayList<>();
        for (String line : text.lines().toList()) {
            Matcher matcher = ONE_LINE.matcher(line.replaceFirst("#.*", "").strip());
            if (matcher.matches()
                    && suites.contains(matcher.group(3))
                    && List.of(matcher.group(4).split("\\s+")).contains("main")) {
                Map<String, String> fields = new LinkedHashMap<>();
                fields.put("types", " deb");
                fields.put("uris", " " + matcher.group(2));
                fields.put("suites", " " + wanted);
                fields.put("components", " main");
                if (matcher.group(1) != null) {
                    addOptions(
                            fields, matcher.group(1).replaceAll("[\\[\\]]", "").strip());
                }
                found.add(stanza(fields));
            }
        }
        return found;
    }

    private static void addOptions(Map<String, String> fields, String options) {
        for (String option : options.split("\\s+", -1)) {
            int equals = option.indexOf('=');
            if (equals > 0) {
                String name = option.substring(0, equals).toLowerCase(Locale.ROOT);
                // The two formats differ only in the plural of these names.
                String field = switch (name) {
                    case "arch" -> "architectures";
                    case "lang" -> "languages";
                    case "target" -> "targets";
                    default -> name;
                };
                fields.put(field, " " + option.substring(equals + 1).replace(',', ' '));
            }
        }
    }

    private static Map<String, String> fields(String stanza) {
        Map<String, String> fields = new LinkedHashMap<>();
        String current = "";
        for (String line : stanza.lines().toList()) {
            if (line.startsWith(" ") || line.startsWith("\t")) {
                fields.merge(current, "\n" + line, String::concat);
            } else if (line.indexOf(':') > 0) {
                current = line.substring(0, line.indexOf(':')).strip().toLowerCase(Locale.ROOT);
                fields.put(current, line.substring(line.indexOf(':') + 1));
            }
        }
        return fields;
    }

    private static List<String> words(Map<String, String> fields, String field) {
        return Arrays.asList(fields.getOrDefault(field, "").strip().split("\\s+"));
    }

    private static String stanza(Map<String, String> fields) {
        StringBuilder text = new StringBuilder();
        fields.forEach(
                (name, value) -> text.append(name).append(':').append(value).append('\n'));
        return text.toString();
    }
}
