package dev.outboard.rig;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.emulation.virtio.VirtioBlockModel;
import dev.outboard.emulation.virtio.VirtioBlockOptions;
import dev.outboard.specs.virtio.VirtioDeviceType;
import dev.outboard.virtio.vhost.VhostUserBackend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Linux's own virtio drivers on devices in Java, which are reached over vhost-user. */
@Tag("rig")
class VhostUserInLinuxTest {
    private static final Duration LIMIT = Duration.ofMinutes(3);
    private static final long DISK_BYTES = 64 << 20;

    @TempDir
    private Path directory;

    @Test
    void userModeLinuxMakesAFileSystemOnADiskAndTheFileHasIt() throws IOException, NoSuchAlgorithmException {
        Path file = directory.resolve("disk.img");
        VirtioBlockOptions standard = VirtioBlockOptions.DEFAULT.withSizeBytes(DISK_BYTES);
        try (var disk = new VirtioBlockModel(new VirtioBlockOptions(
                        DISK_BYTES, 512, standard.serial(), 4, standard.queueSize(), false, file));
                VhostUserBackend backend = VhostUserBackend.start(disk, directory.resolve("disk.sock"))) {
            GuestResult result = UserModeLinux.standard()
                    .device(backend.path(), VirtioDeviceType.BLOCK)
                    .run(GuestCommand.script("""
                            set -e
                            load virtio_blk ext4
                            cat /sys/block/vda/serial; echo
                            fio --name=v --filename=/dev/vda --rw=randwrite --bs=4k --size=16M --direct=1 \
                                --ioengine=libaio --iodepth=16 --verify=crc32c --thread --minimal >&2
                            mkfs.ext4 -q /dev/vda
                            mkdir /run/disk
                            mount /dev/vda /run/disk
                            dd if=/dev/urandom of=/run/disk/data bs=1M count=8 conv=fsync status=none
                            umount /run/disk
                            fsck.ext4 -fn /dev/vda >&2
                            sha256sum </dev/vda
                            """), LIMIT);
            assertThat(result.status()).as(result.err()).isZero();
            String sum = HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
            assertThat(result.out()).isEqualTo("OB0001\n" + sum + "  -\n");
        }
    }
}
