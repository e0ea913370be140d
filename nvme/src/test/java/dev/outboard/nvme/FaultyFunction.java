package dev.outboard.nvme;

import dev.outboard.emulation.fault.FaultInjector;
import dev.outboard.emulation.fault.FaultPlan;
import dev.outboard.emulation.interpose.InterposedFunction;
import dev.outboard.pci.Pci;
import dev.outboard.pci.PciFunction;
import java.io.IOException;

/** Functions that misbehave by rule. */
final class FaultyFunction {
    private FaultyFunction() {}

    /** Opens a function, and has these rules, without their first line, act on it. */
    static PciFunction open(String address, String rules) throws IOException {
        FaultPlan plan = FaultPlan.parse("rules", "outboard-faults 1\nnames bar0 nvme\n" + rules);
        return new InterposedFunction(Pci.open(address), new FaultInjector(plan));
    }
}
