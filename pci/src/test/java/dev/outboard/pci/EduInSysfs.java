package dev.outboard.pci;

import dev.outboard.linux.DevicePages;
import dev.outboard.linux.Fd;
import dev.outboard.memory.RegisterAccess;
import dev.outboard.memory.Registers;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;

/** A function that no driver has, its BAR 0 mapped from sysfs, bus master until it is closed. */
record EduInSysfs(Fd config, DevicePages bar, Registers registers) implements AutoCloseable {
    static EduInSysfs open(PciBus bus, String address) throws IOException {
        Path directory = bus.directory(address);
        Fd config = Fd.open(directory.resolve("config").toString(), Fd.O_RDWR);
        setBusMaster(config, true);
        try (Fd resource = Fd.open(directory.resolve("resource0").toString(), Fd.O_RDWR)) {
            DevicePages bar = DevicePages.map(resource, 0, resource.regularFileBytes(), true);
            return new EduInSysfs(config, bar, Registers.mapped("BAR 0 of " + address, bar, () -> {}));
        }
    }

    private static void setBusMaster(Fd config, boolean on) {
        RegisterAccess access = new RegisterAccess() {
            @Override
            public long read(long offset, int widthBytes) {
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment word = arena.allocate(ValueLayout.JAVA_LONG);
                    config.pread(word.asSlice(0, widthBytes), offset);
                    return word.get(ValueLayout.JAVA_LONG, 0);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }

            @Override
            public void write(long offset, int widthBytes, long value) {
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment word = arena.allocateFrom(ValueLayout.JAVA_LONG, value);
                    config.pwrite(word.asSlice(0, widthBytes), offset);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        };
        Registers space = Registers.unmapped("configuration space", 256, access, List.of(), () -> {});
        long command = PciConfiguration.COMMAND_MEMORY.set(space.read(PciConfiguration.COMMAND), 1);
        space.write(PciConfiguration.COMMAND, PciConfiguration.COMMAND_BUS_MASTER.set(command, on ? 1 : 0));
    }

    @Override
    public void close() {
        bar.close();
        setBusMaster(config, false);
        config.close();
    }
}
