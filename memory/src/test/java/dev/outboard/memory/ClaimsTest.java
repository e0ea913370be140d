package dev.outboard.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.linux.Fd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One process; what several do to each other is in {@link ClaimsAcrossProcessesTest}. */
class ClaimsTest {
    private static final String DEVICE = "pci:0000:03:00.0";

    @TempDir
    private Path directory;

    private Path path;
    private Claims claims;

    @BeforeEach
    void create() {
        path = directory.resolve("run/claims");
        claims = Claims.in(path);
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(path)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private List<String> records() throws IOException {
        return files().stream().filter(name -> name.endsWith(".claim")).toList();
    }

    @Test
    void aSecondClaimIsRefusedAndToldWhoHasTheFirst() throws IOException {
        Instant before = Instant.now();
        try (Claim claim = claims.claim(DEVICE)) {
            assertThatExceptionOfType(ClaimedException.class)
                    .isThrownBy(() -> claims.claim(DEVICE))
                    .withMessageStartingWith(DEVICE + " is in use by ")
                    .withMessageContaining("process " + ProcessHandle.current().pid())
                    .withMessageContaining("that is this process")
                    .satisfies(e -> assertThat(e.holder())
                            .hasValueSatisfying(
                                    holder -> assertThat(holder.target()).isEqualTo(claim.target())));
            ClaimOwner owner =
                    claims.holder(ClaimTarget.whole(DEVICE)).orElseThrow().owner();
            assertThat(owner).isEqualTo(claim.owner());
            assertThat(owner.since()).isBetween(before, Instant.now());
            assertThat(owner.ended()).isFalse();
            assertThat(owner.user()).isEqualTo(System.getProperty("user.name"));
        }
        assertThat(claims.list()).isEmpty();
        claims.claim(DEVICE).close();
    }

    @Test
    void theOwnerIsCalledWhatTheProgramSays() throws IOException {
        System.setProperty(Claims.OWNER_PROPERTY, "outboard\nnvme bench");
        try (Claim claim = claims.claim(DEVICE)) {
            assertThat(claims.list())
                    .singleElement()
                    .satisfies(record -> assertThat(record.owner().name()).isEqualTo("outboard nvme bench"));
            assertThat(claim).hasToString(claims.list().getFirst().toString());
        } finally {
            System.clearProperty(Claims.OWNER_PROPERTY);
        }
    }

    @Test
    void closingTwiceDoesNotReleaseWhatSomebodyClaimedSince() throws IOException {
        Claim first = claims.claim(DEVICE);
        first.close();
        try (Claim second = claims.claim(DEVICE)) {
            first.close();
            assertThat(claims.list()).singleElement().hasToString(second.toString());
            assertThatThrownBy(() -> claims.claim(DEVICE)).isInstanceOf(ClaimedException.class);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0x1000, 0x1000, 0x1fff, 1, true",
        "0x1000, 0x1000, 0x2000, 0x1000, false",
        "0x1000, 0x1000, 0, 0x1000, false",
        "0x1000, 0x1000, 0, 0x4000, true",
        "0x1000, 0x1000, 0x1800, 8, true",
        "0x7ffffffffffffff0, 15, 0x7ffffffffffffffe, 1, true",
        "0x7ffffffffffffff0, 14, 0x7ffffffffffffffe, 1, false"
    })
    void overlappingRangesCollide(String start, String length, String otherStart, String otherLength, boolean collide)
            throws IOException {
        ClaimTarget other = ClaimTarget.range("mem", Long.decode(otherStart), Long.decode(otherLength));
        try (Claim claim = claims.claim("mem", Long.decode(start), Long.decode(length))) {
            assertThat(claims.holder(other).isPresent()).isEqualTo(collide);
            if (collide) {
                assertThatThrownBy(() -> claims.claim(other))
                        .isInstanceOf(ClaimedException.class)
                        .hasMessageContaining("which has " + claim.target());
            } else {
                claims.claim(other).close();
            }
        }
        claims.claim(other).close();
    }

    @Test
    void theWholeAndItsRangesExcludeEachOtherAndOtherSpacesDoNot() throws IOException {
        try (Claim range = claims.claim(DEVICE, 0, 16);
                Claim next = claims.claim(DEVICE, 16, 16)) {
            assertThatThrownBy(() -> claims.claim(DEVICE)).isInstanceOf(ClaimedException.class);
            claims.claim(DEVICE + "/bar1", 0, 16).close();
            assertThat(claims.list())
                    .extracting(ClaimRecord::target)
                    .containsExactlyInAnyOrder(range.target(), next.target());
        }
        try (Claim whole = claims.claim(DEVICE)) {
            assertThatThrownBy(() -> claims.claim(DEVICE, 1L << 40, 1))
                    .isInstanceOf(ClaimedException.class)
                    .hasMessageContaining("which has " + whole.target());
        }
    }

    @Test
    void lookingMakesNothing() throws IOException {
        assertThat(claims.list()).isEmpty();
        assertThat(claims.holder(ClaimTarget.whole(DEVICE))).isEmpty();
        assertThat(directory.resolve("run")).doesNotExist();
    }

    @Test
    void everybodyMayLockAndReadWhateverTheUmask() throws IOException {
        try (Claim claim = claims.claim(DEVICE)) {
            assertThat(mode("names.lock")).isEqualTo(0666);
            assertThat(mode(records().getFirst())).isEqualTo(0644);
            assertThat(claim.target().isWhole()).isTrue();
        }
        assertThat(files()).containsExactly("names.lock");
    }

    private int mode(String file) throws IOException {
        return (Integer) Files.getAttribute(path.resolve(file), "unix:mode") & 07777;
    }

    @Test
    void aRecordWithoutItsLockIsStaleAndRemovedWhatEverItSays() throws IOException {
        Path copy;
        try (Claim claim = claims.claim(DEVICE)) {
            copy = path.resolve("1-1-abc.claim");
            Files.copy(path.resolve(records().getFirst()), copy);
            assertThat(claims.list()).singleElement().hasToString(claim.toString());
        }
        assertThat(copy).doesNotExist();
        // No process has started before the machine.
        Path abandoned = Files.createFile(path.resolve(ProcessHandle.current().pid() + "-1-abc.new"));
        claims.list();
        assertThat(abandoned).doesNotExist();
    }

    @Test
    void whatOthersLeaveInTheDirectoryDoesNoHarm() throws Exception {
        Files.createDirectories(path);
        Path precious = Files.writeString(directory.resolve("precious"), "precious");
        Files.createSymbolicLink(path.resolve("2-2-a.claim"), precious);
        Files.createDirectory(path.resolve("3-3-a.claim"));
        Files.writeString(path.resolve("4-4-a.claim"), "x".repeat(100_000));
        new ProcessBuilder("mkfifo", path.resolve("5-5-a.claim").toString())
                .start()
                .waitFor();
        Path nonsense =
                Files.writeString(path.resolve("6-6-a.claim"), "outboard-claim 1\ntarget " + DEVICE + "\npid x");
        try (Fd locked = Fd.open(nonsense.toString(), Fd.O_RDWR)) {
            assertThat(dev.outboard.linux.FileLock.tryExclusive(locked, 0, 1)).isTrue();
            assertThat(claims.list()).isEmpty();
            claims.claim(DEVICE).close();
        }
        assertThat(precious).hasContent("precious");
    }

    @Test
    void aLockFileThatIsALinkIsNotFollowed() throws IOException {
        Files.createDirectories(path);
        Path precious = Files.writeString(directory.resolve("precious"), "precious");
        Files.createSymbolicLink(path.resolve("names.lock"), precious);
        assertThatThrownBy(() -> claims.claim(DEVICE))
                .hasMessageContaining(path.resolve("names.lock").toString())
                .hasMessageContaining("must not be a link");
    }

    @Test
    void aDirectoryThatIsALinkOrAFileIsRefused() throws IOException {
        Files.createDirectories(path.getParent());
        Files.createSymbolicLink(path, Files.createDirectory(directory.resolve("elsewhere")));
        assertThatThrownBy(() -> claims.claim(DEVICE)).hasMessageContaining("must be a directory");
        assertThatThrownBy(() -> Claims.in(Path.of("/proc/none/claims")).claim(DEVICE))
                .hasMessageContaining("sudo mkdir -p /proc/none/claims")
                .hasMessageContaining(Claims.DIRECTORY_VARIABLE);
        assertThat(directory.resolve("elsewhere")).isEmptyDirectory();
    }

    @Test
    void whoCannotMakeTheUsualDirectoryIsRespectedByWhoCan() throws IOException {
        Path usual = directory.resolve("run/outboard/claims");
        Path fallback = directory.resolve("tmp");
        Claims user = Claims.among(List.of(Path.of("/proc/none/claims"), fallback));
        Claims root = Claims.among(List.of(usual, fallback));
        try (Claim claim = user.claim(DEVICE)) {
            assertThatThrownBy(() -> root.claim(DEVICE)).isInstanceOf(ClaimedException.class);
            assertThat(root.list()).singleElement().hasToString(claim.toString());
        }
        try (Claim claim = root.claim(DEVICE)) {
            assertThat(root.list()).singleElement().hasToString(claim.toString());
            assertThat(user.list()).singleElement().hasToString(claim.toString());
            assertThatThrownBy(() -> user.claim(DEVICE)).isInstanceOf(ClaimedException.class);
            assertThatThrownBy(() -> Claims.in(usual).claim(DEVICE)).isInstanceOf(ClaimedException.class);
        }
        for (Path shared : List.of(usual, fallback)) {
            assertThat((Integer) Files.getAttribute(shared, "unix:mode") & 07777)
                    .isEqualTo(01777);
        }
        assertThat(user.list()).isEmpty();
        assertThat(root.list()).isEmpty();
    }

    @Test
    void aLockWithoutARecordIsReportedAndDoesNotHang() throws IOException {
        claims.claim(DEVICE).close();
        try (Fd rude = Fd.open(path.resolve("names.lock").toString(), Fd.O_RDWR)) {
            assertThat(dev.outboard.linux.FileLock.tryExclusive(rude, 0, Long.MAX_VALUE))
                    .isTrue();
            assertThatExceptionOfType(ClaimedException.class)
                    .isThrownBy(() -> claims.claim(DEVICE))
                    .withMessageContaining("did not say who it is")
                    .withMessageContaining("lslocks")
                    .satisfies(e -> assertThat(e.holder()).isEmpty());
        }
    }

    @ParameterizedTest
    @CsvSource({"-1, 1", "0, 0", "0, -1", "9223372036854775807, 1", "1, 9223372036854775807"})
    void whatIsNoRangeIsRefused(long start, long length) {
        assertThatThrownBy(() -> claims.claim("mem", start, length))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("length at least 1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "  ", "a\nb", "\0"})
    void whatIsNoNameIsRefused(String name) {
        assertThatThrownBy(() -> claims.claim(name))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no name for a claim");
        assertThatThrownBy(() -> claims.claim("x".repeat(1025))).isInstanceOf(IllegalArgumentException.class);
        assertThatCode(() ->
                        claims.claim("vfio-user:/run/ä " + "x".repeat(1000)).close())
                .doesNotThrowAnyException();
    }

    @Test
    void aThousandClaimsGrantedAndRefusedLeaveNothing() throws IOException {
        claims.claim(DEVICE).close();
        long before = descriptors();
        for (int round = 0; round < 1_000; round++) {
            try (Claim claim = claims.claim(DEVICE, round, 1)) {
                assertThat(claims.holder(claim.target())).isPresent();
                if (round % 10 == 0) {
                    assertThatThrownBy(() -> claims.claim(DEVICE)).isInstanceOf(ClaimedException.class);
                }
            }
        }
        assertThat(descriptors()).isEqualTo(before);
        assertThat(files()).hasSize(2).allMatch(name -> name.endsWith(".lock"));
    }

    private static long descriptors() throws IOException {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            return open.count();
        }
    }
}
