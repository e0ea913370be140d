package dev.outboard.rig;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Runs the tests of all rooms that need a kernel: those tagged {@code kernel} in two guests side by side,
 * those tagged {@code rig}, which boot guests of their own, here. {@code ./test kernel} is this.
 */
public final class KernelTests {
    /** The tag of tests that run in a guest. */
    public static final String KERNEL_TAG = "kernel";

    /** The tag of tests that boot guests. */
    public static final String RIG_TAG = "rig";

    /** The environment variable, in the guest, that names the file with the device accesses, for {@link MmioTrace}. */
    public static final String TRACE_VARIABLE = "OUTBOARD_TRACE";

    /** The system property that names a file of JVM options, for tests that start a JVM like their own. */
    public static final String OPTIONS_PROPERTY = "outboard.java.options";

    /** The system property with the folders of newer kernel headers, for the tests that run here. */
    private static final String HEADERS_PROPERTY = "outboard.kernelHeaders";

    /** Half of the time goes into the tests of its commands, which are processes. */
    private static final String COMMAND_ROOM = "cli";

    /** Registers are compared that drivers use; what a kernel says without this option, the commands show. */
    private static final String RELAXED = "iomem=relaxed";

    private static final Duration BOOT_LIMIT = Duration.ofMinutes(3);
    private static final Duration LIMIT = Duration.ofMinutes(40);
    private static final Pattern SKIPPED = Pattern.compile("<skipped>.*?</skipped>", Pattern.DOTALL);
    private static final Pattern TEST_CASE = Pattern.compile("<testcase [^>]*>");
    private static final Pattern SUITE = Pattern.compile("(<testsuite [^>]*tests=\"(?=(\\d+))\\d+\" skipped=\")\\d+");

    private final Path root;
    private final Path reports;
    private final List<String> more;
    private final TestRooms rooms;
    private final Path options;

    private KernelTests(Path root, Path reports, List<String> more) throws IOException {
        this.root = root;
        this.more = more;
        this.reports = Files.createDirectories(reports).toRealPath();
        rooms = TestRooms.of(root);
        options = reports.resolve("java.options");
    }

    /**
     * Runs the tests and exits with 0 if none failed.
     *
     * @param arguments the root of the built source tree, the folder for JUnit's XML reports, and more options for JUnit's
     *     console, such as {@code --include-classname=.*VfioFunctionTest}
     * @throws IOException when the tests cannot be run
     */
    public static void main(String[] arguments) throws IOException {
        if (arguments.length < 2) {
            System.err.println("usage: KernelTests ROOT REPORTS [CONSOLE-OPTION]…");
            System.exit(2);
        }
        List<String> more = List.of(arguments).subList(2, arguments.length);
        KernelTests tests = new KernelTests(
                Path.of(arguments[0]).toRealPath(), Path.of(arguments[1]).toAbsolutePath(), more);
        System.exit(tests.run() ? 0 : 1);
    }

    private boolean run() throws IOException {
        Initramfs initramfs;
        try {
            HostProgram.QEMU.find();
            initramfs = Initramfs.of(KernelPackage.obtain());
        } catch (IOException e) {
            return skipAll(String.valueOf(e.getMessage()));
        }
        Files.write(
                options, rooms.javaOptions().stream().map(KernelTests::quote).toList());
        Map<String, List<String>> classes = new TreeMap<>(rooms.testClasses());
        List<String> commands = classes.getOrDefault(COMMAND_ROOM, List.of());
        classes.remove(COMMAND_ROOM);
        List<String> others = classes.values().stream().flatMap(List::stream).toList();
        try (ExecutorService executor = Executors.newFixedThreadPool(2)) {
            List<Future<Boolean>> results = List.of(
                    executor.submit(() -> runInGuest(initramfs, "commands", "", commands)), executor.submit(() -> {
                        boolean inGuest = runInGuest(initramfs, "rooms", RELAXED, others);
                        boolean here = runHere(RIG_TAG, false);
                        return inGuest && here;
                    }));
            boolean passed = true;
            for (Future<Boolean> result : results) {
                passed &= result.get();
            }
            return passed;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RigException("Interrupted while the tests ran", e);
        } catch (ExecutionException e) {
            throw new RigException(String.valueOf(e.getCause()), e);
        }
    }

    private boolean runInGuest(Initramfs initramfs, String name, String kernelOptions, List<String> classes)
            throws IOException {
        Path own = Files.createDirectories(reports.resolve(name));
        // QEMU 7.2's translator runs code that another processor is patching at that moment, and a JVM patches all the
        // time: with two processors one JVM in ten died of it. So the second processor is another guest's.
        QemuMachine machine = QemuMachine.with(initramfs)
                .processors(1)
                .share(reports)
                .kernelOptions(kernelOptions)
                .trace(own.resolve("mmio.trace"))
                .console(own.resolve("console.txt"))
                .build();
        long start = System.nanoTime();
        try (Guest guest = machine.boot(BOOT_LIMIT)) {
            System.err.printf("guest \"%s\" booted in %.1f s%n", name, (System.nanoTime() - start) / 1e9);
            List<String> command = console(KERNEL_TAG, own, classes);
            command.addFirst("java");
            GuestCommand tests = GuestCommand.of(command.toArray(String[]::new))
                    .in(root)
                    .with(TRACE_VARIABLE, guest.traceFile().toString());
            return guest.run(tests, new LineOutput(System.out), new LineOutput(System.err), LIMIT) == 0;
        } catch (IOException e) {
            System.err.println(e.getMessage());
            return false;
        }
    }

    private boolean runHere(String tag, boolean skipAll) throws IOException {
        List<String> classes =
                rooms.testClasses().values().stream().flatMap(List::stream).toList();
        List<String> command = console(tag, reports.resolve(tag), classes);
        if (skipAll) {
            command.add("--config=junit.platform.execution.dryRun.enabled=true");
        } else {
            command.addFirst("-D" + HEADERS_PROPERTY + "=" + headers());
        }
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

    /** Empty if there are none: then the tests that need them say so. */
    private static String headers() {
        try {
            return KernelHeaders.includeFolders();
        } catch (IOException e) {
            System.err.println(e.getMessage());
            return "";
        }
    }

    /** The arguments of java for JUnit's console. */
    private List<String> console(String tag, Path folder, List<String> classes) throws IOException {
        Files.write(
                options, rooms.javaOptions().stream().map(KernelTests::quote).toList());
        List<String> arguments = new ArrayList<>(List.of(
                "@" + options,
                "-XX:+UseSerialGC",
                // Most of the time goes into starting; tests that care for the compiler start a JVM of their own.
                "-XX:TieredStopAtLevel=1",
                "-D" + OPTIONS_PROPERTY + "=" + options,
                "-Doutboard.root=" + root,
                "-cp",
                rooms.classPath(),
                "org.junit.platform.console.ConsoleLauncher",
                "execute",
                "--disable-banner",
                "--disable-ansi-colors",
                "--details=testfeed",
                "--include-engine=junit-jupiter",
                "--fail-if-no-tests",
                "--include-tag=" + tag,
                "--reports-dir=" + folder,
                "--config=junit.jupiter.execution.timeout.default=600s",
                "--config=junit.jupiter.execution.timeout.threaddump.enabled=true"));
        arguments.addAll(more);
        classes.forEach(name -> arguments.add("--select-class=" + name));
        return arguments;
    }

    /** As the launcher wants it in a file of options: see java(1). */
    private static String quote(String option) {
        return '"' + option.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    /** Reports every test as skipped, by name, for this reason. */
    private boolean skipAll(String reason) throws IOException {
        System.err.println("no kernel to test in: " + reason);
        Files.write(
                options, rooms.javaOptions().stream().map(KernelTests::quote).toList());
        for (String tag : List.of(KERNEL_TAG, RIG_TAG)) {
            runHere(tag, true);
            try (Stream<Path> files = Files.list(reports.resolve(tag))) {
                for (Path file :
                        files.filter(each -> each.toString().endsWith(".xml")).toList()) {
                    Files.writeString(file, allSkipped(Files.readString(file), reason));
                }
            }
        }
        // There the packages were installed.
        return System.getenv("CI") == null;
    }

    /** A dry run reports tests with parameters as passed, and the rest as skipped because it is one. */
    private static String allSkipped(String report, String reason) {
        String skipped = "<skipped><![CDATA[" + reason.replace("]]>", "]] >").replace('\n', ' ') + "]]></skipped>";
        String all = SKIPPED.matcher(report).replaceAll("");
        all = TEST_CASE.matcher(all).replaceAll(match -> Matcher.quoteReplacement(match.group() + "\n" + skipped));
        return SUITE.matcher(all).replaceFirst("$1$2");
    }
}
