package dev.outboard.rig;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Runs the tests of all rooms that need a kernel: those tagged {@code kernel} in one guest, those tagged {@code rig}, which
 * boot guests of their own, here. {@code ./test kernel} is this.
 */
public final class KernelTests {
    /** The tag of tests that run in a guest. */
    public static final String KERNEL_TAG = "kernel";

    /** The tag of tests that boot guests. */
    public static final String RIG_TAG = "rig";

    /** The environment variable, in the guest, that names the file with the device accesses, for {@link MmioTrace}. */
    public static final String TRACE_VARIABLE = "OUTBOARD_TRACE";

    private static final Duration BOOT_LIMIT = Duration.ofMinutes(3);
    private static final Duration LIMIT = Duration.ofMinutes(20);
    private static final String DRY_RUN_REASON = "JUnit Platform dry-run mode is enabled";

    private final Path root;
    private final Path reports;
    private final TestRooms rooms;

    private KernelTests(Path root, Path reports) throws IOException {
        this.root = root;
        this.reports = Files.createDirectories(reports).toRealPath();
        rooms = TestRooms.of(root);
    }

    /**
     * Runs the tests and exits with 0 if none failed.
     *
     * @param arguments the root of the built source tree, and the folder for JUnit's XML reports
     * @throws IOException when the tests cannot be run
     */
    public static void main(String[] arguments) throws IOException {
        if (arguments.length != 2) {
            System.err.println("usage: KernelTests ROOT REPORTS");
            System.exit(2);
        }
        KernelTests tests = new KernelTests(
                Path.of(arguments[0]).toRealPath(), Path.of(arguments[1]).toAbsolutePath());
        System.exit(tests.run() ? 0 : 1);
    }

    private boolean run() throws IOException {
        QemuMachine machine;
        try {
            machine = QemuMachine.with(Initramfs.of(KernelPackage.obtain()))
                    .share(reports)
                    .trace(reports.resolve("mmio.trace"))
                    .console(reports.resolve("console.txt"))
                    .build();
            HostProgram.QEMU.find();
        } catch (IOException e) {
            return skipAll(String.valueOf(e.getMessage()));
        }
        boolean inGuest = runInGuest(machine);
        boolean here = runHere(RIG_TAG, List.of());
        return inGuest && here;
    }

    private boolean runInGuest(QemuMachine machine) throws IOException {
        long start = System.nanoTime();
        try (Guest guest = machine.boot(BOOT_LIMIT)) {
            System.err.printf("booted in %.1f s%n", (System.nanoTime() - start) / 1e9);
            List<String> command = console(KERNEL_TAG, List.of());
            command.addFirst("java");
            GuestCommand tests = GuestCommand.of(command.toArray(String[]::new))
                    .in(root)
                    .with(TRACE_VARIABLE, guest.traceFile().toString());
            return guest.run(tests, System.out, System.err, LIMIT) == 0;
        } catch (IOException e) {
            System.err.println(e.getMessage());
            return false;
        }
    }

    private boolean runHere(String tag, List<String> more) throws IOException {
        List<String> command = console(tag, more);
        command.addFirst(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        Process process =
                new ProcessBuilder(command).directory(root.toFile()).inheritIO().start();
        try {
            return process.waitFor() == 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RigException("Interrupted while the tests ran", e);
        } finally {
            process.destroy();
        }
    }

    /** The arguments of java for JUnit's console. */
    private List<String> console(String tag, List<String> more) throws IOException {
        List<String> arguments = new ArrayList<>(rooms.javaOptions());
        arguments.addAll(List.of(
                "-XX:+UseSerialGC",
                // Most of the time goes into starting; tests that care for the compiler start a JVM of their own.
                "-XX:TieredStopAtLevel=1",
                "-Doutboard.root=" + root,
                "-cp",
                rooms.classPath(),
                "org.junit.platform.console.ConsoleLauncher",
                "execute",
                "--disable-banner",
                "--disable-ansi-colors",
                "--details=testfeed",
                "--fail-if-no-tests",
                "--include-tag=" + tag,
                "--reports-dir=" + reports.resolve(tag),
                "--config=junit.jupiter.execution.timeout.default=180s",
                "--config=junit.jupiter.execution.timeout.threaddump.enabled=true"));
        arguments.addAll(more);
        rooms.testedModules().forEach(module -> arguments.add("--select-module=" + module));
        return arguments;
    }

    /** Reports every test as skipped, by name, for this reason. */
    private boolean skipAll(String reason) throws IOException {
        System.err.println("no kernel to test in: " + reason);
        for (String tag : List.of(KERNEL_TAG, RIG_TAG)) {
            runHere(tag, List.of("--config=junit.platform.execution.dryRun.enabled=true"));
            try (Stream<Path> files = Files.list(reports.resolve(tag))) {
                for (Path file :
                        files.filter(each -> each.toString().endsWith(".xml")).toList()) {
                    // Within a CDATA section.
                    String safe = reason.replace("]]>", "]] >").replace('\n', ' ');
                    Files.writeString(file, Files.readString(file).replace(DRY_RUN_REASON, safe));
                }
            }
        }
        return true;
    }
}
