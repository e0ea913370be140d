package dev.outboard.cli.samples;

import dev.outboard.cli.DestroyOption;
import dev.outboard.cli.Interruption;
import dev.outboard.cli.Json;
import dev.outboard.driver.ByteSize;
import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceTimeoutException;
import dev.outboard.memory.Registers;
import dev.outboard.pci.PciFunction;
import dev.outboard.samples.ivshmem.SharedMemory;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code outboard run ivshmem}. */
@Command(
        name = "ivshmem",
        description = "Brings up QEMU's shared memory device, rings its own doorbell by each vector, and stays up. On a"
                + " model, or with --destroy, also overwrites all of the memory and verifies it.")
public final class RunIvshmemCommand extends RunSample<SharedMemory> {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    @Mixin
    private DestroyOption destroy = new DestroyOption();

    /** For picocli. */
    public RunIvshmemCommand() {}

    @Override
    SharedMemory open(PciFunction function) throws IOException {
        return SharedMemory.open(function);
    }

    @Override
    void checkPresent(SharedMemory device) throws IOException {
        device.checkPresent();
    }

    @Override
    Map<String, Object> show(SharedMemory device) throws IOException {
        Map<String, Object> document = Json.object();
        long bytes = device.memory().sizeBytes();
        document.put("memoryBytes", bytes);
        document.put("mapped", device.memory().isMapped());
        document.put("id", device.id());
        document.put("vectors", device.vectors());
        say("memory", new ByteSize(bytes) + (device.memory().isMapped() ? ", mapped" : ""));
        say("id", device.id());
        for (int vector = 0; vector < device.vectors() && !Interruption.requested(); vector++) {
            device.ring(device.id(), vector);
            if (device.await(vector, TIMEOUT) == 0) {
                throw new DeviceTimeoutException(device.address() + " did not hear its own doorbell by vector " + vector
                        + " within " + TIMEOUT.toSeconds() + " s; its server may have given it fewer");
            }
        }
        say("vectors", device.vectors() == 0 ? "none" : device.vectors() + ", each rung and heard");
        // A model that has peers has memory that they use.
        if (destroy.allows(device.address().toString().equals("model:ivshmem"))) {
            document.put("verifiedBytes", verify(device));
        }
        return document;
    }

    private long verify(SharedMemory device) throws IOException {
        Registers memory = device.memory();
        long seed = new Random().nextLong();
        Random written = new Random(seed);
        long end = memory.sizeBytes();
        for (long at = 0; at < end && !Interruption.requested(); at += Long.BYTES) {
            memory.write64(at, written.nextLong());
        }
        Random expected = new Random(seed);
        long at = 0;
        while (at < end && !Interruption.requested()) {
            if (memory.read64(at) != expected.nextLong()) {
                throw new DeviceException("%s returned wrong data at byte %d of its memory; a peer may write to it"
                        .formatted(device.address(), at));
            }
            at += Long.BYTES;
        }
        say("memory", "verified, " + at + " bytes");
        return at;
    }
}
