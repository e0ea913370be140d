package dev.outboard.rig;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

/**
 * Runs one command in a guest, as if it ran here: its output is this program's output, its exit status this one's.
 */
public final class RunInGuest {
    static final int USAGE_ERROR = 2;
    static final int TIMEOUT = 124;
    static final int RIG_FAILURE = 125;

    private static final String USAGE = """
            usage: RunInGuest [OPTION]… -- COMMAND [ARGUMENT]…
            Runs COMMAND as root in a Linux guest that has this machine's files.

              --results DIR       let the guest write to DIR, seen under the same path (repeatable)
              --timeout SECONDS   for boot and command together, 300 unless told
              --trace FILE        write the accesses to device registers to FILE
              --trace-on-demand   trace only between `outboard-trace on` and `off` in the guest
              --console FILE      keep the kernel's messages in FILE
              --modules A,B,C     load these modules instead of vfio-pci,vfio_iommu_type1,nvme
              --kernel-options S  add to the kernel's command line
              --memory MIB        4096 unless told
              --cpus N            2 unless told
              --env NAME=VALUE    set a variable for the command (repeatable)
              --qemu ARGUMENT     add to QEMU's command line (repeatable)

            Exit status: the command's; 2 for wrong usage, 124 when time is up, 125 when the rig fails.
            """;

    private RunInGuest() {}

    /**
     * Runs the command of the arguments and exits with its status.
     *
     * @param arguments options, {@code --}, and a command
     */
    public static void main(String[] arguments) {
        System.exit(run(Arrays.asList(arguments)));
    }

    private static int run(List<String> arguments) {
        if (arguments.contains("--help") && arguments.indexOf("--help") < separator(arguments)) {
            System.out.print(USAGE);
            return 0;
        }
        try {
            return run(RunOptions.parse(arguments));
        } catch (IllegalArgumentException e) {
            System.err.print(e.getMessage() + "\n" + USAGE);
            return USAGE_ERROR;
        } catch (GuestTimeoutException e) {
            System.err.println(e.getMessage());
            return TIMEOUT;
        } catch (IOException e) {
            System.err.println(e.getMessage());
            return RIG_FAILURE;
        }
    }

    private static int run(RunOptions options) throws IOException {
        Deadline deadline = Deadline.after(options.limit());
        QemuMachine.Builder machine = QemuMachine.with(Initramfs.of(KernelPackage.obtain()))
                .modules(options.modules())
                .kernelOptions(options.kernelOptions())
                .memoryMebibytes(options.memoryMebibytes())
                .processors(options.processors())
                .extraArguments(options.qemuArguments());
        for (Path folder : options.results()) {
            machine.share(folder);
        }
        options.console().ifPresent(machine::console);
        options.trace().ifPresent(machine::trace);
        try (Guest guest = machine.build().boot(left(deadline))) {
            if (guest.bootAttempts() > 1) {
                System.err.printf(
                        "The guest's kernel panicked; attempt %d to boot it went well%n", guest.bootAttempts());
            }
            boolean traced = options.trace().isPresent() && !options.traceOnDemand();
            if (traced) {
                guest.trace(true);
            }
            int status = guest.run(options.command(), System.out, System.err, left(deadline));
            if (traced) {
                guest.trace(false);
            }
            return status;
        }
    }

    private static Duration left(Deadline deadline) {
        return Duration.ofNanos(Math.max(0, deadline.remainingNanos()));
    }

    private static int separator(List<String> arguments) {
        int index = arguments.indexOf("--");
        return index < 0 ? arguments.size() : index;
    }
}
