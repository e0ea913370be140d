package dev.outboard.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The script {@code outboard} with and without the AOT caches that it makes, in a copy of the tree. */
@Tag("emulated")
@Timeout(600)
class LauncherTest {
    private static final Path TREE = Path.of("..").toAbsolutePath().normalize();
    private static final List<String> READ = List.of("nvme", "read", "--lba", "0", "--blocks", "1");

    @TempDir
    static Path root;

    @TempDir
    Path logs;

    private static Path made;
    private static Path caches;

    @BeforeAll
    static void makesTheCachesWhenItIsFirstRun() throws Exception {
        Path app = TREE.resolve("cli/target/app");
        assumeTrue(Files.isDirectory(app), "cli/target/app is not there: mvn package -DskipTests");
        copy(TREE.resolve("outboard"), root);
        copy(TREE.resolve("scripts"), root);
        copy(app, root.resolve("cli/target"));
        Files.createFile(root.resolve("pom.xml"));
        Files.createFile(root.resolve("cli/pom.xml"));
        Files.write(root.resolve("cli/target/app/.built"), new byte[0]);

        Command.Result first = outboard(List.of(), "--version");
        assertThat(first.status()).as(first.err()).isZero();
        assertThat(first.errorLines()).singleElement().asString().contains("preparing fast starts");
        made = root.resolve("made");
        try (Stream<Path> releases = Files.list(root.resolve("cli/target/aot"))) {
            caches = releases.findFirst().orElseThrow();
        }
        copy(caches.getParent(), made);
        copy(root.resolve("cli/target/app"), made);
    }

    @BeforeEach
    void restore() throws Exception {
        copy(made.resolve("aot"), root.resolve("cli/target"));
        copy(made.resolve("app"), root.resolve("cli/target"));
    }

    private static void copy(Path from, Path into) throws IOException, InterruptedException {
        Files.createDirectories(into);
        Program.succeeds("cp", "-rp", from.toString(), into.toString());
    }

    private static Command.Result outboard(List<String> environment, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("env", "JAVA_HOME=" + System.getProperty("java.home")));
        command.addAll(environment);
        command.add(root.resolve("outboard").toString());
        command.addAll(List.of(arguments));
        return Program.run(command);
    }

    /** Where the JVMs of a command found the classes that they run. */
    private List<String> sources() throws IOException, InterruptedException {
        Command.Result result = outboard(
                List.of("JDK_JAVA_OPTIONS=-Xlog:class+load:file=" + logs + "/%p.log"), READ.toArray(String[]::new));
        assertThat(result.status()).as(result.err()).isZero();
        List<String> sources = new ArrayList<>();
        try (Stream<Path> files = Files.list(logs)) {
            for (Path file : files.toList()) {
                try (Stream<String> lines = Files.lines(file)) {
                    lines.filter(line ->
                                    line.matches(".* dev\\.outboard\\.(cli\\.Main|emulation\\.EmulatorMain) source.*"))
                            .forEach(sources::add);
                }
            }
        }
        assertThat(sources).as("of the command and of its device").hasSizeGreaterThanOrEqualTo(2);
        return sources;
    }

    private static void assertReadsSilently() throws IOException, InterruptedException {
        Command.Result result = outboard(List.of(), READ.toArray(String[]::new));
        assertThat(result.err()).isEmpty();
        assertThat(result.status()).isZero();
        assertThat(result.out()).hasSize(512);
    }

    private static void overwriteMiddle(Path file) throws IOException {
        try (RandomAccessFile cache = new RandomAccessFile(file.toFile(), "rw")) {
            cache.seek(cache.length() / 4);
            cache.write(new byte[4096]);
        }
    }

    @Test
    void theCommandAndTheProcessOfItsDeviceComeFromTheCaches() throws Exception {
        assertThat(sources())
                .anySatisfy(source -> assertThat(source).contains("cli.Main"))
                .allSatisfy(source -> assertThat(source).contains("shared objects file"));
    }

    @Test
    void brokenCachesArePassedOver() throws Exception {
        overwriteMiddle(caches.resolve("outboard.aot"));
        overwriteMiddle(caches.resolve("emulator.aot"));
        assertReadsSilently();
        assertThat(sources()).allSatisfy(source -> assertThat(source).contains(".jar"));
    }

    @Test
    void cachesOfAnotherBuildArePassedOver() throws Exception {
        try (Stream<Path> jars = Files.list(root.resolve("cli/target/app"))) {
            for (Path jar :
                    jars.filter(file -> file.toString().endsWith(".jar")).toList()) {
                Files.setLastModifiedTime(jar, Files.getLastModifiedTime(root.resolve("outboard")));
            }
        }
        assertReadsSilently();
        assertThat(sources()).allSatisfy(source -> assertThat(source).contains(".jar"));
    }

    @Test
    void aMissingCacheIsNotMissed() throws Exception {
        Files.delete(caches.resolve("emulator.aot"));
        assertReadsSilently();
        Files.delete(caches.resolve("outboard.aot"));
        assertReadsSilently();
    }

    @Test
    void cachesThatCannotBeWrittenAreDoneWithout() throws Exception {
        Program.succeeds("rm", "-r", caches.getParent().toString());
        // Not even root can make a directory here.
        Files.createFile(caches.getParent());
        try {
            Command.Result result = outboard(List.of(), READ.toArray(String[]::new));
            assertThat(result.status()).as(result.err()).isZero();
            assertThat(result.out()).hasSize(512);
        } finally {
            Files.delete(caches.getParent());
        }
    }
}
