package dev.outboard.rig;

import java.io.File;
import java.io.IOException;
import java.lang.module.ModuleFinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The rooms of a built tree, and how their tests run in one JVM: every room a named module with its tests patched in, as
 * Surefire runs them one by one; JUnit and AssertJ on the class path.
 */
final class TestRooms {
    /** Where rig's POM puts JUnit's console and AssertJ. */
    private static final String CONSOLE = "rig/target/console";
    /** Where cli's POM puts the libraries that the rooms use. */
    private static final String LIBRARIES = "cli/target/app";

    private static final String BENCHMARKS = "bench";

    private final Path root;
    private final List<Path> rooms;

    private TestRooms(Path root, List<Path> rooms) {
        this.root = root;
        this.rooms = rooms;
    }

    static TestRooms of(Path root) throws IOException {
        List<Path> rooms = new ArrayList<>();
        try (Stream<Path> folders = Files.list(root)) {
            folders.filter(folder -> Files.exists(folder.resolve("target/classes/module-info.class")))
                    .sorted()
                    .forEach(rooms::add);
        }
        // With libraries of its own, and no test that needs a kernel.
        rooms.remove(root.resolve(BENCHMARKS));
        if (rooms.isEmpty()
                || !Files.isDirectory(root.resolve(CONSOLE))
                || !Files.isDirectory(root.resolve(LIBRARIES))) {
            throw new RigException(root + " is not built: run mvn -DskipTests package in it");
        }
        return new TestRooms(root, rooms);
    }

    /** The options of a JVM that runs tests, up to the class path: also those of the JVMs that tests start. */
    List<String> javaOptions() throws IOException {
        List<Path> modulePath = new ArrayList<>();
        rooms.forEach(room -> modulePath.add(room.resolve("target/classes")));
        // Its copies of the rooms come too late to count.
        modulePath.add(root.resolve(LIBRARIES));
        List<String> options = new ArrayList<>(List.of(
                "--module-path=" + join(modulePath),
                "--add-modules=ALL-MODULE-PATH,jdk.management",
                "--enable-native-access=dev.outboard.linux",
                "--illegal-native-access=deny"));
        // As Surefire's test class path has it: tests may use what their room does not.
        String all = ModuleFinder.of(modulePath.toArray(Path[]::new)).findAll().stream()
                .map(module -> module.descriptor().name())
                .sorted()
                .collect(Collectors.joining(","));
        for (Path room : testedRooms()) {
            String module = moduleName(room);
            options.add("--patch-module=" + module + "=" + tests(room));
            options.add("--add-reads=" + module + "=ALL-UNNAMED,java.management,jdk.management," + all);
            for (String packageName : packages(tests(room))) {
                options.add("--add-opens=" + module + "/" + packageName + "=ALL-UNNAMED");
            }
        }
        return options;
    }

    /** The class path of the same JVM. */
    String classPath() throws IOException {
        try (Stream<Path> jars = Files.list(root.resolve(CONSOLE))) {
            return join(jars.sorted().toList());
        }
    }

    /** The test classes of each room, by name, under the room's folder. */
    Map<String, List<String>> testClasses() throws IOException {
        Map<String, List<String>> classes = new TreeMap<>();
        for (Path room : testedRooms()) {
            try (Stream<Path> files = Files.walk(tests(room))) {
                classes.put(
                        room.getFileName().toString(),
                        files.map(file -> tests(room).relativize(file).toString())
                                .filter(file -> file.endsWith("Test.class") && !file.contains("$"))
                                .map(file -> file.substring(0, file.length() - ".class".length())
                                        .replace('/', '.'))
                                .sorted()
                                .toList());
            }
        }
        return classes;
    }

    private List<Path> testedRooms() {
        return rooms.stream().filter(room -> Files.isDirectory(tests(room))).toList();
    }

    private static Path tests(Path room) {
        return room.resolve("target/test-classes");
    }

    private static String moduleName(Path room) {
        return "dev.outboard." + room.getFileName();
    }

    private static Set<String> packages(Path classes) throws IOException {
        try (Stream<Path> files = Files.walk(classes)) {
            return files.filter(file -> file.toString().endsWith(".class"))
                    .map(file -> classes.relativize(file.getParent()).toString().replace('/', '.'))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    private static String join(List<Path> paths) {
        return paths.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
    }
}
