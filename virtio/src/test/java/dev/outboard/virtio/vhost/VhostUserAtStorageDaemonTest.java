package dev.outboard.virtio.vhost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.outboard.linux.LinuxException;
import dev.outboard.linux.UnixSocket;
import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.virtio.VirtioBlk;
import dev.outboard.virtio.DriverQueue;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Our front end at a back end that others wrote: qemu-storage-daemon's disk. */
@Tag("emulated")
class VhostUserAtStorageDaemonTest {
    private static final Path PROGRAM = Path.of("/usr/bin/qemu-storage-daemon");
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final int DISK_BYTES = 1 << 20;
    private static final int DATA_BYTES = 8192;
    private static final long SECTOR = 16;
    private static final byte UNTOUCHED = 0x55;

    @TempDir
    private Path directory;

    private Path disk;
    private Path socket;
    private Process daemon;

    @BeforeEach
    void startDaemon() throws IOException {
        assumeTrue(
                Files.isExecutable(PROGRAM),
                "qemu-storage-daemon is not installed: apt-get install qemu-system-common");
        disk = Files.write(directory.resolve("disk.img"), new byte[DISK_BYTES]);
        socket = directory.resolve("s");
        daemon = new ProcessBuilder(
                        PROGRAM.toString(),
                        "--blockdev",
                        "driver=file,node-name=disk,filename=" + disk,
                        "--export",
                        "type=vhost-user-blk,id=e,node-name=disk,writable=on,addr.type=unix,addr.path=" + socket)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start();
    }

    @AfterEach
    void stopDaemon() throws InterruptedException {
        if (daemon != null) {
            daemon.destroyForcibly();
            daemon.waitFor(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
        }
    }

    @Test
    void whatIsWrittenIsInItsFileAndReadBack() throws IOException {
        byte[] data = new byte[DATA_BYTES];
        new Random(1).nextBytes(data);
        try (VhostUserFrontEnd frontEnd = connect()) {
            assertThat(frontEnd.read(VirtioBlk.CAPACITY)).isEqualTo(DISK_BYTES / VirtioBlk.SECTOR_BYTES);
            FrontEndQueue queue = frontEnd.createQueue(0, 64, 3);
            frontEnd.start();
            try (DmaMemory memory = frontEnd.dma().allocate(2 * DATA_BYTES);
                    DmaMemory around = frontEnd.dma().allocate(VirtioBlk.HEADER_BYTES + VirtioBlk.STATUS_BYTES)) {
                memory.segment().asSlice(0, DATA_BYTES).copyFrom(MemorySegment.ofArray(data));
                header(around, VirtioBlk.TYPE_OUT);
                queue.ring().readable(around.deviceAddress(), VirtioBlk.HEADER_BYTES);
                queue.ring().readable(memory.deviceAddress(), DATA_BYTES);
                queue.ring().writable(around.deviceAddress() + VirtioBlk.HEADER_BYTES, VirtioBlk.STATUS_BYTES);
                finish(queue, around);
                header(around, VirtioBlk.TYPE_IN);
                queue.ring().readable(around.deviceAddress(), VirtioBlk.HEADER_BYTES);
                queue.ring().writable(memory.deviceAddress() + DATA_BYTES, DATA_BYTES);
                queue.ring().writable(around.deviceAddress() + VirtioBlk.HEADER_BYTES, VirtioBlk.STATUS_BYTES);
                finish(queue, around);
                assertThat(memory.segment().asSlice(DATA_BYTES).toArray(ValueLayout.JAVA_BYTE))
                        .startsWith(data);
            }
        }
        assertThat(Files.readAllBytes(disk))
                .containsSequence(data)
                .hasSize(DISK_BYTES)
                .startsWith(new byte[(int) SECTOR * VirtioBlk.SECTOR_BYTES]);
    }

    private VhostUserFrontEnd connect() throws IOException {
        long deadline = System.nanoTime() + TIMEOUT.toNanos();
        while (true) {
            try {
                UnixSocket.connect(socket.toString()).close();
                break;
            } catch (LinuxException notYet) {
                assertThat(System.nanoTime() - deadline)
                        .as(() -> "the daemon listens; " + directory.resolve("log"))
                        .isNegative();
                Thread.onSpinWait();
            }
        }
        return VhostUserFrontEnd.connect(socket, DriverQueue.FEATURES | VirtioBlk.FEATURE_FLUSH);
    }

    private static void header(DmaMemory around, int type) {
        around.segment().set(ValueLayout.JAVA_INT, VirtioBlk.HEADER_TYPE, type);
        around.segment().set(ValueLayout.JAVA_LONG, VirtioBlk.HEADER_SECTOR, SECTOR);
        around.segment().set(ValueLayout.JAVA_BYTE, VirtioBlk.HEADER_BYTES, UNTOUCHED);
    }

    private static void finish(FrontEndQueue queue, DmaMemory around) throws IOException {
        queue.ring().add();
        queue.publish();
        while (queue.ring().poll() == DriverQueue.NONE) {
            queue.await(TIMEOUT);
        }
        assertThat(around.segment().get(ValueLayout.JAVA_BYTE, VirtioBlk.HEADER_BYTES))
                .isEqualTo((byte) VirtioBlk.STATUS_OK);
    }
}
