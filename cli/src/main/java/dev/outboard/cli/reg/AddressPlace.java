package dev.outboard.cli.reg;

import dev.outboard.driver.DeviceBusyException;
import dev.outboard.driver.DeviceException;
import dev.outboard.peripherals.IoPorts;
import dev.outboard.peripherals.IoResource;
import dev.outboard.peripherals.IoResources;
import dev.outboard.peripherals.PhysicalMemory;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** {@code outboard mem} and {@code outboard port}: addresses that are nobody's offset. */
abstract class AddressPlace extends Place {
    /** A screenful. */
    private static final long DUMP_BYTES = 256;

    private static final long PORTS = 1 << 16;

    private final String name;

    private AddressPlace(String name) {
        this.name = name;
    }

    static Place memory() {
        return new Memory();
    }

    static Place ports() {
        return new Ports();
    }

    @Override
    void addParameters() {}

    @Override
    String subject() {
        return name;
    }

    /** Who has which addresses. */
    abstract IoResources resources() throws IOException;

    abstract OpenRegisters open(long first, long lengthBytes, Purpose purpose, List<String> owners) throws IOException;

    @Override
    final OpenRegisters open(long first, long lengthBytes, Purpose purpose) throws IOException {
        List<String> owners = resources().overlapping(first, lengthBytes).stream()
                .map(IoResource::name)
                .toList();
        return open(first, lengthBytes, purpose, owners);
    }

    @Override
    void refuseOwned(long first, long lengthBytes) throws IOException {
        IoResources resources = resources();
        if (!resources.isKnown()) {
            throw new DeviceException(
                    resources.file() + " shows this process no addresses, so that nobody knows what the"
                            + " kernel uses; that takes CAP_SYS_ADMIN: use sudo, or add --force to write nevertheless");
        }
        Optional<IoResource> user = resources.user(first, lengthBytes);
        if (user.isPresent()) {
            throw new DeviceBusyException(name + " at 0x" + Long.toHexString(first) + " is in use by the kernel: "
                    + user.get() + "; add --force to write there nevertheless");
        }
    }

    @Override
    Map<String, Object> json() {
        Map<String, Object> json = super.json();
        json.put("space", name);
        return json;
    }

    private static final class Memory extends AddressPlace {
        Memory() {
            super("physical memory");
        }

        @Override
        String label() {
            return "ADDRESS";
        }

        @Override
        List<Integer> widths() {
            return List.of(Byte.SIZE, Short.SIZE, Integer.SIZE, Long.SIZE);
        }

        @Override
        int usualWidth() {
            return Integer.SIZE;
        }

        @Override
        Long usualDumpBytes(long start) {
            return DUMP_BYTES;
        }

        @Override
        IoResources resources() throws IOException {
            return IoResources.memory();
        }

        @Override
        OpenRegisters open(long first, long lengthBytes, Purpose purpose, List<String> owners) throws IOException {
            PhysicalMemory memory = purpose == Purpose.WRITE
                    ? PhysicalMemory.open(first, lengthBytes)
                    : PhysicalMemory.openReadOnly(first, lengthBytes);
            return new OpenRegisters(subject(), memory.registers(), first, () -> {}, memory::close, owners);
        }
    }

    private static final class Ports extends AddressPlace {
        Ports() {
            super("I/O ports");
        }

        @Override
        String label() {
            return "PORT";
        }

        @Override
        List<Integer> widths() {
            return List.of(Byte.SIZE, Short.SIZE, Integer.SIZE);
        }

        @Override
        int usualWidth() {
            return Byte.SIZE;
        }

        @Override
        Long usualDumpBytes(long start) {
            return Math.clamp(PORTS - start, 1, DUMP_BYTES);
        }

        @Override
        IoResources resources() throws IOException {
            return IoResources.ports();
        }

        @Override
        OpenRegisters open(long first, long lengthBytes, Purpose purpose, List<String> owners) throws IOException {
            if (first > PORTS - lengthBytes) {
                throw new IndexOutOfBoundsException("0x" + Long.toHexString(first)
                        + (lengthBytes == 1 ? " is" : " and " + (lengthBytes - 1) + " more are")
                        + " beyond the 65536 I/O ports (0x10000)");
            }
            IoPorts ports = IoPorts.open((int) first, (int) lengthBytes);
            return new OpenRegisters(subject(), ports.registers(), first, () -> {}, ports::close, owners);
        }
    }
}
