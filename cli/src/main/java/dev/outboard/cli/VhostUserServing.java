package dev.outboard.cli;

import dev.outboard.emulation.ModelOptions;
import dev.outboard.emulation.Models;
import dev.outboard.emulation.PciModel;
import dev.outboard.emulation.virtio.VirtioPciModel;
import dev.outboard.linux.Affinity;
import dev.outboard.virtio.vhost.VhostUserBackend;
import dev.outboard.virtio.vhost.VhostUserOptions;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The part of {@code outboard emulate} that serves virtio devices over vhost-user. */
final class VhostUserServing {
    /** What the names of devices begin with that can be served so. */
    static final String DEVICES = "virtio-";

    @Option(
            names = "--vhost-user",
            description = "Serve a virtio device over vhost-user instead: to QEMU, User Mode Linux or DPDK.")
    private boolean wanted;

    @Option(
            names = "--in-band",
            description = "With --vhost-user: let front ends that can notify by messages. Simulations with a virtual"
                    + " clock need it.")
    private boolean inBand;

    /** Says where the device is. */
    interface Announcement {
        void print(Path socket) throws IOException;
    }

    /** Whether it was asked for, which what else was asked for may need. */
    boolean isWanted() {
        if (inBand && !wanted) {
            throw new IllegalArgumentException("--in-band is a matter of vhost-user: give --vhost-user too");
        }
        return wanted;
    }

    /** Serves until interrupted; {@code listening} is printed when front ends can connect. */
    void serve(String name, ModelOptions options, Path socket, @Nullable Integer cpu, Announcement listening)
            throws IOException {
        try (PciModel model = Models.create(name, options)) {
            if (!(model instanceof VirtioPciModel virtio)) {
                throw new IllegalStateException(name + " is no virtio device");
            }
            VhostUserOptions offer = new VhostUserOptions(virtio.withheldFeatures(), inBand);
            try (VhostUserBackend backend = VhostUserBackend.listen(socket, virtio.device(), offer)) {
                Interruption.onRequest(backend::close);
                if (cpu != null) {
                    Affinity.pin(cpu);
                }
                listening.print(socket);
                backend.run();
            } finally {
                Interruption.onRequest(null);
            }
        }
    }
}
