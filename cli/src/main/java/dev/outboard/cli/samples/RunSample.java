package dev.outboard.cli.samples;

import dev.outboard.cli.Interruption;
import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.cli.interpose.InterposeOptions;
import dev.outboard.pci.PciFunction;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * {@code outboard run} of a driver that teaches: opens its device, shows what the driver does with it, and stays up.
 *
 * @param <D> the driver
 */
abstract class RunSample<D extends AutoCloseable> implements Callable<Integer> {
    @CommandLine.Spec
    private CommandLine.Model.@Nullable CommandSpec spec;

    @Option(
            names = "--device",
            paramLabel = "ADDRESS",
            description = "The device, for example vfio:0000:03:00.0 or vfio-user:/run/x.sock; unless told"
                    + " model:${COMMAND-NAME}, an emulated one in a process of its own.")
    private @Nullable String device;

    @Mixin
    private InterposeOptions interpose = new InterposeOptions();

    @Mixin
    private JsonOption output = new JsonOption();

    /** Takes over the device, also if that fails. */
    abstract D open(PciFunction function) throws IOException;

    /** Shows what the driver does: says each thing once it is done, and returns all of it for {@code --json}. */
    abstract Map<String, Object> show(D driver) throws IOException;

    /** Says when the device is gone. */
    abstract void checkPresent(D driver) throws IOException;

    @Override
    @SuppressWarnings("try") // Of all that closing might throw, these drivers throw nothing.
    public final Integer call() throws Exception {
        if (spec == null) {
            throw new IllegalStateException("picocli did not set what is required");
        }
        String address = device == null ? "model:" + spec.name() : device;
        try (D driver = open(interpose.open(address))) {
            say("device", address);
            Map<String, Object> document = Json.object();
            document.put("device", address);
            document.putAll(show(driver));
            if (output.json()) {
                Json.print(System.out, document);
            } else if (!Interruption.requested()) {
                System.out.printf("%n%s is up; Ctrl-C ends it.%n", address);
            }
            Interruption.awaitWhile(() -> checkPresent(driver));
        }
        return 0;
    }

    /** Prints a line, unless the output is JSON. */
    final void say(String what, Object value) {
        if (!output.json()) {
            System.out.printf("%-15s %s%n", what, value);
        }
    }
}
