package dev.outboard.rig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import dev.outboard.emulation.virtio.NetworkLink;
import dev.outboard.emulation.virtio.RingLink;
import dev.outboard.emulation.virtio.VirtioBlockModel;
import dev.outboard.emulation.virtio.VirtioBlockOptions;
import dev.outboard.emulation.virtio.VirtioNetModel;
import dev.outboard.emulation.virtio.VirtioNetOptions;
import dev.outboard.specs.virtio.VirtioDeviceType;
import dev.outboard.specs.virtio.VirtioFeature;
import dev.outboard.virtio.vhost.VhostUserBackend;
import dev.outboard.virtio.vhost.VhostUserOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Linux's own virtio drivers on devices in Java, which are reached over vhost-user. */
@Tag("rig")
class VhostUserInLinuxTest {
    private static final Duration LIMIT = Duration.ofMinutes(3);
    private static final long DISK_BYTES = 64 << 20;

    @TempDir
    private Path directory;

    /** Writes the disk in several ways, and reads back all that is on it then. */
    private static final String WRITE_DISK = """
            cat /sys/block/vda/serial; echo
            fio --name=v --filename=/dev/vda --rw=randwrite --bs=4k --size=8M --direct=1 \
                --ioengine=libaio --iodepth=16 --verify=crc32c --thread --minimal >&2
            mkfs.ext4 -q /dev/vda
            mkdir /run/disk
            mount /dev/vda /run/disk
            dd if=/dev/urandom of=/run/disk/data bs=1M count=8 conv=fsync status=none
            umount /run/disk
            fsck.ext4 -fn /dev/vda >&2
            sha256sum </dev/vda
            """;

    /** The peer answers, and what it echoes is compared. */
    private static final String PING = """
            card=$(basename $(dirname $(grep -l 02:00:00:00:00:01 /sys/class/net/*/address)))
            ip address add 10.0.0.1/24 dev $card
            ip link set $card up
            busybox ping -c 5 -s 1400 -W 5 10.0.0.2 | grep -o ' 0% packet loss'
            """;

    private static final String PONG = " 0% packet loss\n";

    @BeforeAll
    static void needs() {
        Needs.program("fio", "fio");
        Needs.program("mkfs.ext4", "e2fsprogs");
    }

    static Stream<Arguments> offers() {
        return Stream.of(
                argumentSet("packed rings", VhostUserOptions.DEFAULT, "1"),
                argumentSet("split rings, messages", new VhostUserOptions(VirtioFeature.RING_PACKED, true), "0"));
    }

    @ParameterizedTest
    @MethodSource("offers")
    void userModeLinuxMakesAFileSystemOnADiskAndTheFileHasIt(VhostUserOptions options, String packed)
            throws IOException {
        Needs.program(HostProgram.USER_MODE_LINUX);
        Path file = directory.resolve("disk.img");
        try (VirtioBlockModel disk = disk(file);
                VhostUserBackend backend = VhostUserBackend.listen(directory.resolve("disk.sock"), disk, options)) {
            backend.start();
            GuestResult result = UserModeLinux.standard()
                    .device(backend.path(), VirtioDeviceType.BLOCK)
                    .run(
                            GuestCommand.script("set -e\nload virtio_blk ext4\n" + WRITE_DISK
                                    // Feature 34.
                                    + "cut -c35 /sys/block/vda/device/features\n"),
                            LIMIT);
            assertWritten(result, file, packed + "\n");
        }
    }

    @Test
    void userModeLinuxPingsAPeerInJava() throws IOException {
        Needs.program(HostProgram.USER_MODE_LINUX);
        List<NetworkLink> cable = RingLink.cable();
        try (NetworkPeer peer = NetworkPeer.at(cable.getLast());
                VirtioNetModel card = new VirtioNetModel(VirtioNetOptions.DEFAULT, cable.getFirst());
                VhostUserBackend backend = VhostUserBackend.start(card, directory.resolve("net.sock"))) {
            GuestResult result = UserModeLinux.standard()
                    .device(backend.path(), VirtioDeviceType.NETWORK)
                    .run(GuestCommand.script("set -e\nload virtio_net\n" + PING), LIMIT);
            assertThat(result).isEqualTo(new GuestResult(0, PONG, ""));
            assertThat(peer.answers()).isGreaterThanOrEqualTo(5);
        }
    }

    @Test
    void qemusGuestMakesAFileSystemOnADiskAndPingsAPeer() throws IOException {
        Path file = directory.resolve("disk.img");
        List<NetworkLink> cable = RingLink.cable();
        try (VirtioBlockModel disk = disk(file);
                VhostUserBackend backend = VhostUserBackend.start(disk, directory.resolve("disk.sock"));
                NetworkPeer peer = NetworkPeer.at(cable.getLast());
                VirtioNetModel card = new VirtioNetModel(VirtioNetOptions.DEFAULT, cable.getFirst());
                VhostUserBackend network = VhostUserBackend.start(card, directory.resolve("net.sock"))) {
            QemuMachine machine = QemuMachine.with(Initramfs.of(KernelPackage.obtain()))
                    .processors(1)
                    .memoryMebibytes(1024)
                    .modules(List.of("virtio_blk", "ext4", "virtio_net"))
                    .extraArguments(List.of(
                            "-object", "memory-backend-memfd,id=ram,size=1G,share=on",
                            "-machine", "memory-backend=ram",
                            "-chardev", "socket,id=disk,path=" + backend.path(),
                            "-device", "vhost-user-blk-pci,chardev=disk,num-queues=2",
                            "-chardev", "socket,id=network,path=" + network.path(),
                            "-netdev", "vhost-user,id=wire,chardev=network",
                            // With MSI-X, QEMU 7.2 ends by a SIGSEGV of its own.
                            "-device", "virtio-net-pci,netdev=wire,vectors=0,mac=02:00:00:00:00:01"))
                    .build();
            try (Guest guest = machine.boot(LIMIT)) {
                assertWritten(guest.run(GuestCommand.script("set -e\n" + WRITE_DISK), LIMIT), file, "");
                assertThat(guest.run(GuestCommand.script("set -e\n" + PING), LIMIT))
                        .isEqualTo(new GuestResult(0, PONG, ""));
                assertThat(peer.answers()).isGreaterThanOrEqualTo(5);
            }
        }
    }

    private static VirtioBlockModel disk(Path file) throws IOException {
        VirtioBlockOptions standard = VirtioBlockOptions.DEFAULT;
        return new VirtioBlockModel(new VirtioBlockOptions(
                DISK_BYTES, standard.blockSizeBytes(), "IN-JAVA", 2, standard.queueSize(), false, file));
    }

    private static void assertWritten(GuestResult result, Path file, String more) throws IOException {
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.out()).isEqualTo("IN-JAVA\n" + sha256(file) + "  -\n" + more);
    }

    private static String sha256(Path file) throws IOException {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
