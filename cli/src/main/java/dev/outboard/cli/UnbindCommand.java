package dev.outboard.cli;

import dev.outboard.pci.DriverBinding;
import dev.outboard.pci.PciBus;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code outboard unbind}. */
@Command(name = "unbind", description = "Gives a device back to its kernel driver.")
final class UnbindCommand implements Callable<Integer> {
    @Parameters(paramLabel = "DEVICE", description = "The device, for example 0000:03:00.0.")
    private String device = "";

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        String address = BindCommand.pciAddress(device);
        DriverBinding binding = new DriverBinding(PciBus.system(), address);
        String before = binding.driver();
        BindCommand.report(address, before, binding.release(), output.json());
        return 0;
    }
}
