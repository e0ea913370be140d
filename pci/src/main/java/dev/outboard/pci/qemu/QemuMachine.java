package dev.outboard.pci.qemu;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.DeviceTimeoutException;
import dev.outboard.linux.Fd;
import dev.outboard.linux.Mman;
import dev.outboard.linux.Poll;
import dev.outboard.linux.UnixServerSocket;
import dev.outboard.linux.UnixSocket;
import dev.outboard.memory.DmaMemory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A QEMU whose machine has nothing but a device and a way to hear of its messages. Its processor runs firmware of five
 * bytes, which halts; its memory is a memfd that is mapped here too.
 *
 * <p>No file of it has a name once it runs, so nothing stays behind however this JVM ends.
 */
final class QemuMachine implements AutoCloseable {
    /** Where the device is on bus 0. */
    static final int DEVICE_SLOT = 4;
    /** Where the ivshmem device is that turns messages into events. */
    static final int DOORBELL_SLOT = 3;

    private static final long MEMORY_BYTES = 1L << 30;
    /** Below lie the holes of a PC, where not all is memory. */
    private static final long MEMORY_FIRST = 16L << 20;

    private static final int FIRMWARE_BYTES = 64 << 10;
    /** Where a processor begins, 16 bytes before the end. */
    private static final int RESET_VECTOR = FIRMWARE_BYTES - 16;
    /** cli; hlt; jump back to the hlt, should anything wake it. */
    private static final byte[] HALT = {(byte) 0xfa, (byte) 0xf4, (byte) 0xeb, (byte) 0xfd};

    private static final Duration START_TIMEOUT = Duration.ofSeconds(60);
    private static final Duration LOOK_EVERY = Duration.ofMillis(100);

    private final InterruptPins pins = new InterruptPins();
    private final List<Runnable> closing = new ArrayList<>();
    private final QemuProcess process;
    private final MessageVectors vectors;
    private final Qtest qtest;
    private final DmaMemory memory;

    /**
     * Starts one.
     *
     * @param name the device's name in messages
     * @param device the device
     * @throws IOException if there is no QEMU, or it refuses the device; the message has its words
     */
    static QemuMachine start(String name, QemuDevice device) throws IOException {
        var permissions = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
        Path directory = Files.createTempDirectory("outboard-", permissions);
        try {
            return new QemuMachine(name, device, directory);
        } finally {
            // Everybody is connected, or nobody will be.
            for (String file : List.of("wire", "qtest", "vectors", "")) {
                Files.deleteIfExists(directory.resolve(file));
            }
        }
    }

    private QemuMachine(String name, QemuDevice device, Path directory) throws IOException {
        try (Fd guestMemory = Fd.memfd("outboard-guest-memory", MEMORY_BYTES);
                Fd firmware = firmware();
                QemuDrive.Opened drives = QemuDrive.open(device.drives());
                UnixServerSocket listening = UnixServerSocket.listen(directory.resolve("qtest"));
                UnixServerSocket listeningForVectors = UnixServerSocket.listen(directory.resolve("vectors"))) {
            memory = map(guestMemory);
            closing.add(memory::close);
            vectors = new MessageVectors();
            closing.add(vectors::close);
            process = QemuProcess.start(arguments(device, guestMemory, firmware, drives, directory));
            closing.add(process::close);
            UnixSocket peer = accept(name, listeningForVectors);
            closing.add(peer::close);
            vectors.introduce(peer);
            qtest = new Qtest(name, accept(name, listening), process::lastWords, pins, vectors::wakeAll);
            closing.add(qtest::close);
            // It is answered when all devices are made.
            qtest.call("irq_intercept_in ioapic");
        } catch (DeviceGoneException e) {
            close();
            // It never was there: this says why.
            throw new DeviceException(String.valueOf(e.getMessage()), e.getCause());
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    private static DmaMemory map(Fd guestMemory) throws IOException {
        Arena arena = Arena.ofShared();
        try {
            MemorySegment usable = guestMemory.mmap(
                    MEMORY_FIRST,
                    MEMORY_BYTES - MEMORY_FIRST,
                    Mman.PROT_READ | Mman.PROT_WRITE,
                    Mman.MAP_SHARED,
                    arena);
            return new DmaMemory(usable, MEMORY_FIRST, arena::close);
        } catch (IOException | RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    private static Fd firmware() throws IOException {
        Fd firmware = Fd.memfd("outboard-firmware", FIRMWARE_BYTES);
        try (Arena arena = Arena.ofConfined()) {
            firmware.pwrite(arena.allocateFrom(ValueLayout.JAVA_BYTE, HALT), RESET_VECTOR);
            return firmware;
        } catch (IOException e) {
            firmware.close();
            throw e;
        }
    }

    private static List<String> arguments(
            QemuDevice device, Fd guestMemory, Fd firmware, QemuDrive.Opened drives, Path directory)
            throws IOException {
        List<String> arguments = new ArrayList<>(List.of("-nodefaults", "-no-user-config", "-display", "none"));
        String memory = "id=memory,share=on,size=" + MEMORY_BYTES + ",mem-path=" + QemuProcess.path(guestMemory);
        arguments.addAll(List.of("-object", "memory-backend-file," + memory));
        arguments.addAll(List.of("-machine", "q35,memory-backend=memory", "-m", (MEMORY_BYTES >> 20) + "M"));
        arguments.addAll(List.of("-accel", "tcg", "-bios", QemuProcess.path(firmware)));
        arguments.addAll(List.of("-qtest", "unix:" + directory.resolve("qtest"), "-qtest-log", "none"));
        arguments.addAll(List.of("-chardev", "socket,id=vectors,path=" + directory.resolve("vectors")));
        // Not by ioeventfd: without KVM that is the longer way.
        String doorbell = "ivshmem-doorbell,chardev=vectors,ioeventfd=off,vectors=" + MessageVectors.COUNT;
        arguments.addAll(List.of("-device", doorbell + ",bus=pcie.0,addr=" + DOORBELL_SLOT));
        arguments.addAll(device.arguments("bus=pcie.0,addr=" + DEVICE_SLOT, drives.paths(), directory));
        return arguments;
    }

    private UnixSocket accept(String name, UnixServerSocket listening) throws IOException {
        long start = System.nanoTime();
        while (!Poll.readable(listening.fd(), LOOK_EVERY)) {
            if (!process.isAlive()) {
                throw new DeviceException(name + ": " + process.lastWords());
            }
            if (System.nanoTime() - start > START_TIMEOUT.toNanos()) {
                throw new DeviceTimeoutException(
                        name + ": QEMU was not ready within " + START_TIMEOUT.toSeconds() + " s");
            }
        }
        return listening.accept();
    }

    Qtest qtest() {
        return qtest;
    }

    InterruptPins pins() {
        return pins;
    }

    MessageVectors vectors() {
        return vectors;
    }

    /** The memory that the device reaches. */
    DmaMemory memory() {
        return memory;
    }

    /** Ends QEMU. Closing twice is harmless. */
    @Override
    public void close() {
        closing.reversed().forEach(Runnable::run);
        closing.clear();
    }
}
