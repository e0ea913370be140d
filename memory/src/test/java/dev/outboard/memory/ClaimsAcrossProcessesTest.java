package dev.outboard.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.outboard.linux.Fd;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Claims of processes that live, end and are killed. */
@Tag("emulated")
@Timeout(300)
class ClaimsAcrossProcessesTest {
    private static final String DEVICE = "pci:0000:03:00.0";

    @TempDir
    private Path directory;

    private final List<Child> children = new ArrayList<>();

    /** A {@link ClaimingProgram}. */
    private record Child(Process process, BufferedReader answers, PrintWriter orders) {
        String ask(String order) throws IOException {
            tell(order);
            return answer();
        }

        void tell(String order) {
            orders.println(order);
        }

        String answer() throws IOException {
            String line = answers.readLine();
            assertThat(line).as("answer of process " + process.pid()).isNotNull();
            return line;
        }

        void kill() throws InterruptedException {
            // SIGKILL, on Linux.
            process.destroyForcibly().waitFor();
        }
    }

    private Child child() throws IOException, URISyntaxException {
        return child(List.of(), directory);
    }

    private Child child(List<String> prefix, Path directory) throws IOException, URISyntaxException {
        Path linux = Path.of(
                Fd.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        String classes = String.join(
                File.pathSeparator, absolute("target/classes"), absolute("target/test-classes"), linux.toString());
        List<String> command = new ArrayList<>(prefix);
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-Doutboard.owner=claiming program",
                "-cp",
                classes,
                ClaimingProgram.class.getName(),
                directory.toString()));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        Child child = new Child(process, process.inputReader(), new PrintWriter(process.outputWriter(), true));
        children.add(child);
        return child;
    }

    private static String absolute(String path) {
        return Path.of(path).toAbsolutePath().toString();
    }

    @AfterEach
    void end() throws InterruptedException {
        for (Child child : children) {
            child.kill();
        }
    }

    private List<Path> records() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> !file.toString().endsWith(".lock")).toList();
        }
    }

    @Test
    void ofOverlappingRangesTheSecondIsRefusedAndToldByWhom() throws Exception {
        Child first = child();
        Child second = child();
        assertThat(first.ask("claim mem 4096 8192")).isEqualTo("claimed");
        assertThat(second.ask("claim mem 8192 8192"))
                .startsWith("refused: mem 0x2000-0x3fff is in use by claiming program (process "
                        + first.process().pid() + " of " + System.getProperty("user.name"))
                .contains("which has mem 0x1000-0x2fff")
                .contains("kill " + first.process().pid());
        assertThat(second.ask("claim mem 12288 4096")).isEqualTo("claimed");
        assertThat(first.ask("release")).isEqualTo("released");
        assertThat(second.ask("claim mem 8192 4096")).isEqualTo("claimed");
    }

    @Test
    void aClaimOfAProcessThatIsKilledIsFreeAtOnceAndNotShown() throws Exception {
        Claims claims = Claims.in(directory);
        for (int round = 0; round < 3; round++) {
            Child child = child();
            assertThat(child.ask("claim " + DEVICE)).isEqualTo("claimed");
            assertThat(child.ask("claim mem 0 4096")).isEqualTo("claimed");
            assertThat(claims.list())
                    .hasSize(2)
                    .allSatisfy(record -> assertThat(record.owner().pid())
                            .isEqualTo(child.process().pid()));
            assertThatThrownBy(() -> claims.claim(DEVICE)).isInstanceOf(ClaimedException.class);

            child.kill();
            assertThat(records()).hasSize(2);
            claims.claim(DEVICE).close();
            claims.claim("mem").close();
            assertThat(claims.list()).isEmpty();
            assertThat(records()).as("what the dead left").isEmpty();
        }
    }

    @Test
    void usersSeeAndRespectEachOthersClaims() throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")), "only root can start a process of another user");
        // The usual directory's permissions, where another user gets to.
        Path shared = Files.createTempDirectory("outboard-claims-of-all");
        try {
            Files.setAttribute(shared, "unix:mode", 01777);
            Child ofNobody = child(List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"), shared);
            Claims ofRoot = Claims.in(shared);
            assertThat(ofNobody.ask("claim " + DEVICE)).isEqualTo("claimed");
            assertThatThrownBy(() -> ofRoot.claim(DEVICE))
                    .isInstanceOf(ClaimedException.class)
                    .hasMessageContaining("process " + ofNobody.process().pid() + " of nobody");
            ofNobody.ask("release");
            try (Claim claim = ofRoot.claim(DEVICE)) {
                assertThat(ofNobody.ask("claim " + DEVICE))
                        .contains("(process " + ProcessHandle.current().pid() + " of root, since ");
                assertThat(ofNobody.ask("claim " + DEVICE + " 0 1")).startsWith("refused");
                assertThat(ofRoot.list()).singleElement().hasToString(claim.toString());
            }
            assertThat(ofNobody.ask("claim " + DEVICE + " 0 1")).isEqualTo("claimed");
            assertThatThrownBy(() -> ofRoot.claim(DEVICE)).isInstanceOf(ClaimedException.class);
        } finally {
            end();
            try (Stream<Path> files = Files.list(shared)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(shared);
        }
    }

    @Test
    void ofManyThreadsAndProcessesThatRaceExactlyOneWins(TestReporter reporter) throws Exception {
        long seed = Long.getLong("outboard.seed", System.nanoTime());
        reporter.publishEntry("seed", Long.toString(seed));
        System.out.println("claims: -Doutboard.seed=" + seed);
        Random random = new Random(seed);
        List<Child> racers = new ArrayList<>(List.of(child(), child(), child()));
        for (int round = 0; round < 150; round++) {
            // A few names only, so that what a killed process had is raced for again.
            String name = "race" + random.nextInt(3);
            for (Child racer : racers) {
                racer.tell("race " + name + " 4 " + random.nextLong());
            }
            int winners = 0;
            Child winner = null;
            for (Child racer : racers) {
                int won = Integer.parseInt(racer.answer());
                winners += won;
                winner = won == 1 ? racer : winner;
            }
            assertThat(winners)
                    .as("winners of round " + round + ", seed " + seed)
                    .isEqualTo(1);
            if (round % 30 == 29 && winner != null) {
                winner.kill();
                racers.remove(winner);
                racers.add(child());
            }
            for (Child racer : racers) {
                racer.ask("release");
            }
        }
    }
}
