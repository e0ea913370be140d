package dev.outboard.cli;

import dev.outboard.emulation.EmulatorProcess;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Runs commands as users do, for the JVM to see what a start needs: the launcher has it record this into an AOT cache, and
 * the process of an emulated device into another. JEP 483, JEP 514.
 */
final class StartTraining {
    private static final List<String> COMMANDS = List.of(
            "--help",
            "devices",
            "devices --json",
            "nvme identify",
            "nvme identify --json",
            "nvme bench --requests 100 --warmup 0",
            "nvme read --lba 0 --blocks 1 --json");

    private static final String FIRST_READ = "nvme read --lba 0 --blocks 1";

    private StartTraining() {}

    /**
     * Trains.
     *
     * @param arguments the cache of the process of an emulated device, to be made
     */
    public static void main(String[] arguments) {
        System.setOut(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
        Main.start();
        int failures = COMMANDS.stream().mapToInt(StartTraining::run).sum();
        System.setProperty(EmulatorProcess.AOT_CACHE_OUTPUT_PROPERTY, arguments[0]);
        failures += run(FIRST_READ);
        Interruption.unwound();
        System.exit(failures);
    }

    private static int run(String command) {
        return Main.execute(command.split(" "));
    }
}
