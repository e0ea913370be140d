package dev.outboard.cli;

import dev.outboard.cli.interpose.InterposeOptions;
import dev.outboard.driver.DeviceAddress;
import dev.outboard.emulation.ModelOptions;
import dev.outboard.emulation.Models;
import dev.outboard.emulation.PciModel;
import dev.outboard.emulation.VfioUserAgent;
import dev.outboard.emulation.VfioUserServer;
import dev.outboard.linux.Affinity;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** Devices that this process serves: together on the calling thread, but for those that have a thread of their own. */
final class EmulatedDevices implements AutoCloseable {
    private static final String CPU = "cpu";

    private final List<Device> devices;
    private final List<PciModel> models = new ArrayList<>();
    private final List<VfioUserServer> servers = new ArrayList<>();
    /** The first is what the calling thread does. */
    private final List<Work> threads = new ArrayList<>();

    /**
     * A device to be served.
     *
     * @param model the kind of model
     * @param options what it shall be; {@code cpu} gives it a thread of its own
     * @param socket where
     */
    record Device(String model, ModelOptions options, Path socket) {
        /** Reads {@code MODEL[?OPTIONS]@SOCKET}. */
        static Device parse(String text) {
            int at = text.indexOf('@');
            if (at <= 0 || at == text.length() - 1) {
                throw new IllegalArgumentException("\"" + text
                        + "\": a device to be served looks like nvme@/tmp/a.sock or nvme?size=64M@/tmp/b.sock");
            }
            DeviceAddress address = new DeviceAddress("model", text.substring(0, at));
            return new Device(
                    address.deviceName(), ModelOptions.of(address.options()), Path.of(text.substring(at + 1)));
        }

        @Nullable
        Integer cpu() {
            return options.text(CPU) == null ? null : (Integer) options.number(CPU, 0);
        }
    }

    /** What a thread does, until it is closed. */
    private record Work(Loop loop, Runnable close, @Nullable Integer cpu) {
        void run() throws IOException {
            if (cpu != null) {
                Affinity.pin(cpu);
            }
            loop.run();
        }
    }

    private interface Loop {
        void run() throws IOException;
    }

    private EmulatedDevices(List<Device> devices) {
        this.devices = devices;
    }

    /**
     * Has all of them listen, once it is known that all of them can be made.
     *
     * @param devices at least one
     * @param threadEach whether each has a thread of its own
     * @param cpu where the calling thread is pinned to, or null
     */
    static EmulatedDevices listen(List<Device> devices, boolean threadEach, @Nullable Integer cpu) throws IOException {
        EmulatedDevices all = new EmulatedDevices(devices);
        try {
            if (cpu != null) {
                Affinity.check(cpu);
            }
            for (Device device : devices) {
                all.create(device);
            }
            List<VfioUserServer> shared = new ArrayList<>();
            List<Work> own = new ArrayList<>();
            for (int i = 0; i < devices.size(); i++) {
                Device device = devices.get(i);
                VfioUserServer server = VfioUserServer.listen(device.socket, all.models.get(i));
                all.servers.add(server);
                if (threadEach || device.cpu() != null) {
                    own.add(new Work(server::run, server::close, device.cpu()));
                } else {
                    shared.add(server);
                }
            }
            if (shared.size() == 1) {
                VfioUserServer only = shared.getFirst();
                all.threads.add(new Work(only::run, only::close, cpu));
            } else if (!shared.isEmpty()) {
                VfioUserAgent agent = VfioUserAgent.of(shared);
                all.threads.add(new Work(agent::run, agent::close, cpu));
            }
            all.threads.addAll(own);
            return all;
        } catch (IOException | RuntimeException e) {
            all.close();
            throw e;
        }
    }

    private void create(Device device) throws IOException {
        Integer cpu = device.cpu();
        if (cpu != null) {
            Affinity.check(cpu);
        }
        models.add(Models.create(device.model, device.options.without(CPU), InterposeOptions::print));
    }

    List<Device> devices() {
        return devices;
    }

    /** Serves until {@link #stop}, or until one of the threads fails. */
    void run() throws IOException {
        List<CompletableFuture<Void>> others = new ArrayList<>();
        for (Work work : threads.subList(1, threads.size())) {
            CompletableFuture<Void> end = new CompletableFuture<>();
            Thread.ofPlatform().name("outboard-model").start(() -> {
                try {
                    work.run();
                    end.complete(null);
                } catch (IOException | RuntimeException e) {
                    stop();
                    end.completeExceptionally(e);
                }
            });
            others.add(end);
        }
        try {
            threads.getFirst().run();
        } finally {
            stop();
        }
        try {
            others.forEach(CompletableFuture::join);
        } catch (CompletionException e) {
            if (e.getCause() instanceof IOException failure) {
                throw failure;
            }
            throw e;
        }
    }

    /** Ends {@link #run}. */
    void stop() {
        threads.forEach(work -> work.close.run());
    }

    @Override
    public void close() {
        stop();
        servers.forEach(VfioUserServer::close);
        models.forEach(PciModel::close);
    }
}
