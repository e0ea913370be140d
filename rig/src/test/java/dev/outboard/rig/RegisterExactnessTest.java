package dev.outboard.rig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.pci.DriverBinding;
import dev.outboard.pci.PciBus;
import dev.outboard.rig.RegisterExactnessProgram.Access;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/**
 * Every call of {@code Registers} is exactly one access of its width, in order: QEMU's devices say what reached them,
 * whether the JVM interpreted the driver or compiled it.
 */
@Tag("kernel")
@EnabledIfEnvironmentVariable(named = "OUTBOARD_RIG", matches = "qemu", disabledReason = "needs a guest of rig")
class RegisterExactnessTest {
    private static final int ROUNDS = 10;
    /** Calls, for C1 to compile (some hundreds, more when it is busy) but not C2, and then for C2 (more than 5,000, or 15,000 with loops). */
    private static final String WARM_UPS = "1000,20000";

    /** Tiers 1 to 3 are C1's, with more or less profiling; 4 is C2's. */
    private static final List<List<Integer>> TIERS = List.of(List.of(1, 2, 3), List.of(4));

    private static final List<String> LOOPS =
            List.of("unusedReads", "repeatedReads", "repeatedWrites", "adjacentWrites", "writeThenRead");

    /** The addresses of edu's DMA engine. QEMU's docs/specs/edu.rst. */
    private static final RegisterExactnessProgram EDU = new RegisterExactnessProgram(0x80, List.of(4, 8), ROUNDS);
    /** DMA address, block size and count, argument, transfer mode, and command, which needs a clock that is off. */
    private static final RegisterExactnessProgram SDHCI = new RegisterExactnessProgram(0, List.of(1, 2, 4), ROUNDS);
    /** The multicast table of the network card. Intel 82574L data sheet, 10.2.5. */
    private static final long E1000E_MULTICAST_TABLE = 0x5200;

    private static final Path E1000E = Path.of("/sys/bus/pci/devices", TestDevices.E1000E);

    private final Path trace = Path.of(System.getenv().getOrDefault(KernelTests.TRACE_VARIABLE, "/nonexistent"));

    private static DriverBinding binding(String address) {
        return new DriverBinding(PciBus.system(), address);
    }

    @BeforeEach
    void takeDevices() throws IOException {
        binding(TestDevices.EDU).bind(DriverBinding.VFIO_PCI);
        binding(TestDevices.SDHCI).bind(DriverBinding.VFIO_PCI);
        Files.writeString(E1000E.resolve("enable"), "1");
    }

    @AfterEach
    void giveBack() throws IOException {
        Files.writeString(E1000E.resolve("enable"), "0");
        binding(TestDevices.EDU).release();
        binding(TestDevices.SDHCI).release();
    }

    @Test
    void everyAccessReachesTheDeviceOnceWhenInterpreted() throws Exception {
        Run run = run("0", "-Xint");
        assertThat(run.accesses("edu-mmio")).isEqualTo(EDU.expected());
        assertThat(run.accesses("sdhci")).isEqualTo(SDHCI.expected());
    }

    @Test
    void everyAccessReachesTheDeviceOnceWhenCompiledAndPlainAccessesDoNot() throws Exception {
        Run run = run(
                WARM_UPS,
                "-XX:CompileCommand=quiet",
                // Each loop for itself: not entered in its middle, nor compiled as a part of its caller.
                "-XX:-UseOnStackReplacement",
                "-XX:CompileCommand=dontinline,dev.outboard.rig.ExactnessLoops::*",
                "-XX:CompileCommand=dontinline,dev.outboard.rig.PlainAccesses::*",
                "-XX:CompileCommand=PrintCompilation,dev.outboard.rig.*::*",
                // Compiled when its time has come, not some time later.
                "-XX:CompileCommand=BackgroundCompilation,dev.outboard.rig.*::*,false");
        for (int turn = 0; turn < TIERS.size(); turn++) {
            Map<String, Integer> tiers = run.tiers("ExactnessLoops", turn);
            for (int width : List.of(1, 2, 4, 8)) {
                for (String loop : LOOPS) {
                    String method = loop + width * Byte.SIZE;
                    assertThat(tiers.getOrDefault(method, 0))
                            .as("%s in turn %d: %s", method, turn, run.output())
                            .isIn(TIERS.get(turn));
                }
            }
        }
        assertThat(run.accesses("edu-mmio")).isEqualTo(twice(EDU.expected()));
        assertThat(run.accesses("sdhci")).isEqualTo(twice(SDHCI.expected()));

        // That this can fail: the same in plain Java.
        assertThat(run.tiers("PlainAccesses", 1))
                .containsEntry("unusedReads", 4)
                .containsEntry("adjacentWrites", 4);
        List<Access> plain = run.accesses("e1000e-mmio");
        Access read = Access.read(0, 4);
        assertThat(plain).as("QEMU saw accesses").contains(Access.write(0, 4, 2));
        assertThat(plain.stream().filter(read::equals).count())
                .as("C2 deletes reads that nobody uses")
                .isLessThan(2 * ROUNDS);
        assertThatThrownBy(() -> assertThat(plain).isEqualTo(twice(plainAccesses())))
                .isInstanceOf(AssertionError.class);
    }

    /** What {@link PlainAccesses} says. */
    private static List<Access> plainAccesses() {
        List<Access> accesses = new ArrayList<>();
        Stream.generate(() -> Access.read(0, 4)).limit(ROUNDS).forEach(accesses::add);
        for (int i = 0; i < ROUNDS; i++) {
            accesses.add(Access.write(0, 4, 1));
            accesses.add(Access.write(0, 4, 2));
        }
        for (int i = 0; i < ROUNDS; i++) {
            accesses.add(Access.write(8, 4, 1));
            accesses.add(Access.write(12, 4, 2));
        }
        return accesses;
    }

    private static List<Access> twice(List<Access> accesses) {
        return Stream.of(accesses, accesses).flatMap(List::stream).toList();
    }

    /** What the devices saw, and what the JVM printed. */
    private record Run(List<MmioAccess> traced, String output) {
        /** What a region saw, with offsets in 256 bytes, to which all BARs are aligned. */
        List<Access> accesses(String region) {
            return traced.stream()
                    .filter(each -> each.region().equals(region))
                    .map(each -> new Access(
                            each.kind(),
                            each.address() & 0xff,
                            each.sizeBytes(),
                            each.kind() == MmioAccess.Kind.READ ? 0 : each.value()))
                    .toList();
        }

        /** How the methods of a class were compiled all the time that the devices were accessed. */
        Map<String, Integer> tiers(String className, int turn) {
            return CompilationLog.tiers(output, className, AccessesInGuest.BEGIN + turn, AccessesInGuest.END + turn);
        }
    }

    private Run run(String warmUps, String... jvmOptions) throws Exception {
        int before = Files.exists(trace) ? MmioTrace.read(trace).accesses().size() : 0;
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("@" + System.getProperty(KernelTests.OPTIONS_PROPERTY));
        command.addAll(List.of(jvmOptions));
        command.addAll(List.of("-XX:+UseSerialGC", "-m", "dev.outboard.rig/" + AccessesInGuest.class.getName()));
        command.addAll(List.of(warmUps, Integer.toString(ROUNDS)));
        command.addAll(List.of("vfio:" + TestDevices.EDU, Long.toString(EDU.base()), widths(EDU)));
        command.addAll(List.of("vfio:" + TestDevices.SDHCI, Long.toString(SDHCI.base()), widths(SDHCI)));
        command.addAll(List.of(E1000E.resolve("resource0").toString(), Long.toString(E1000E_MULTICAST_TABLE), "4"));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        List<MmioAccess> accesses = MmioTrace.read(trace).accesses();
        return new Run(accesses.subList(before, accesses.size()), output);
    }

    private static String widths(RegisterExactnessProgram program) {
        return String.join(",", program.widths().stream().map(String::valueOf).toList());
    }
}
