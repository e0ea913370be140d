package dev.outboard.cli.interpose;

import dev.outboard.emulation.fault.FaultInjector;
import dev.outboard.emulation.fault.FaultPlan;
import dev.outboard.emulation.fault.FaultRule;
import dev.outboard.emulation.interpose.InterposedFunction;
import dev.outboard.emulation.recording.Recorder;
import dev.outboard.pci.Pci;
import dev.outboard.pci.PciFunction;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What can stand between a driver and its device. */
public final class InterposeOptions {
    @Option(
            names = "--faults",
            paramLabel = "FILE",
            description = "Do to the device what the rules in this file say; see docs/faults.md.")
    private @Nullable Path faults;

    @Option(
            names = "--record",
            paramLabel = "FILE",
            description = "Write all that passes between the driver and the device into this file, for outboard trace"
                    + " and replay:FILE; see docs/recordings.md.")
    private @Nullable Path recording;

    /** For picocli. */
    public InterposeOptions() {}

    /**
     * Opens a function, with what was asked for in between; the function itself if that is nothing.
     *
     * @param address its address
     * @return the function
     * @throws IOException if it cannot be opened, or a file cannot be read
     */
    public PciFunction open(String address) throws IOException {
        FaultPlan plan = faults == null ? null : FaultPlan.read(faults);
        PciFunction function = Pci.open(address);
        if (plan != null) {
            function = new InterposedFunction(function, new FaultInjector(plan, InterposeOptions::print));
        }
        // The recording has what the driver saw, with the faults.
        return recording == null ? function : Recorder.record(function, recording);
    }

    /**
     * Says how often fault rules have acted.
     *
     * @param acts the rules
     */
    public static void print(Map<FaultRule, Long> acts) {
        acts.forEach((rule, times) -> System.err.println("faults: " + times + " times: " + rule));
    }
}
