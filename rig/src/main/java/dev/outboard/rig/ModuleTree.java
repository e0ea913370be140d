package dev.outboard.rig;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** The modules of a kernel and what each needs, as depmod wrote it down: modules.dep(5). */
final class ModuleTree {
    private static final Duration DECOMPRESS_LIMIT = Duration.ofMinutes(1);

    private final Path folder;
    private final Map<String, List<String>> filesByName = new HashMap<>();
    private final Set<String> builtIn = new LinkedHashSet<>();

    ModuleTree(Path folder) throws IOException {
        this.folder = folder;
        for (String line : Files.readAllLines(folder.resolve("modules.dep"))) {
            int colon = line.indexOf(':');
            List<String> files = new ArrayList<>();
            files.add(line.substring(0, colon));
            Stream.of(line.substring(colon + 1).split(" "))
                    .filter(file -> !file.isEmpty())
                    .forEach(files::add);
            filesByName.put(moduleName(files.getFirst()), files);
        }
        for (String line : Files.readAllLines(folder.resolve("modules.builtin"))) {
            builtIn.add(moduleName(line));
        }
    }

    /** The files to insert for these modules, in an order in which each finds what it needs. */
    List<Path> loadOrder(List<String> modules) throws RigException {
        Set<String> ordered = new LinkedHashSet<>();
        for (String module : modules) {
            List<String> files = filesByName.get(module.replace('-', '_'));
            if (files != null) {
                // The line of a module names all that it needs, the last of them needed first.
                ordered.addAll(files.reversed());
            } else if (!builtIn.contains(module.replace('-', '_'))) {
                throw new RigException("The kernel in %s has no module %s".formatted(folder, module));
            }
        }
        return ordered.stream().map(folder::resolve).toList();
    }

    static String moduleName(String file) {
        return file.substring(file.lastIndexOf('/') + 1)
                .replaceFirst("\\.ko(\\.\\w+)?$", "")
                .replace('-', '_');
    }

    /** A module as it can be inserted by a program that knows no compression. */
    byte[] decompressed(Path file) throws IOException {
        String name = file.getFileName().toString();
        if (name.endsWith(".ko")) {
            return Files.readAllBytes(file);
        }
        HostProgram program = switch (name.substring(name.lastIndexOf('.') + 1)) {
            case "xz" -> HostProgram.XZ;
            case "zst" -> HostProgram.ZSTD;
            default -> throw new RigException("%s is compressed in an unknown way".formatted(file));
        };
        Path plain = Files.createTempFile("outboard-rig-", ".ko");
        try {
            program.runInto(plain, DECOMPRESS_LIMIT, folder, Map.of(), List.of("-dc", file.toString()));
            return Files.readAllBytes(plain);
        } finally {
            Files.deleteIfExists(plain);
        }
    }
}
