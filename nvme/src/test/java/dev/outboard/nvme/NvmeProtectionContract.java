package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.nvme.NamespaceCommand;
import dev.outboard.specs.nvme.ProtectionInformation;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Metadata and protection information of every kind. Formats the first namespace. */
abstract class NvmeProtectionContract {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final int BLOCKS = 4;
    private static final long FIRST = 100;
    private static final int TAG = 0x1234;
    private static final long CHECK_ALL = ProtectionInformation.CHECK_GUARD.mask()
            | ProtectionInformation.CHECK_APPLICATION_TAG.mask()
            | ProtectionInformation.CHECK_REFERENCE_TAG.mask();

    private NvmeController controller;
    private QueuePair queue;

    /** Opens the controller; called for each test. */
    abstract NvmeController open() throws IOException;

    @BeforeEach
    void openController() throws IOException {
        controller = open();
        queue = controller.createQueuePair(4);
    }

    @AfterEach
    void closeController() {
        if (controller != null) {
            controller.close();
        }
    }

    /** Blocks of 512 bytes with so much metadata. */
    private NvmeNamespace format(int metadataBytes, boolean extended, int type, boolean first) throws IOException {
        NvmeNamespace namespace = controller.namespaces().getFirst();
        int lbaFormat = namespace.formats().stream()
                .filter(format -> format.blockSizeBytes() == 512 && format.metadataBytes() == metadataBytes)
                .findFirst()
                .orElseThrow()
                .index();
        controller
                .admin()
                .namespaces()
                .format(
                        namespace.id(),
                        new NamespaceFormat(lbaFormat, extended, type, first),
                        NamespaceCommand.ERASE_NONE);
        return controller.namespaces().getFirst();
    }

    private DmaMemory filled(long bytes) throws IOException {
        DmaMemory memory = controller.dma().allocate(bytes);
        for (long at = 0; at < bytes; at++) {
            memory.segment().set(ValueLayout.JAVA_BYTE, at, (byte) (at * 7));
        }
        return memory;
    }

    private void assertRefused(int status, NvmeCommand command) {
        assertThatThrownBy(() -> queue.submit(command).await(SOON))
                .isInstanceOfSatisfying(
                        NvmeException.class,
                        e -> assertThat(Status.code(e.status())).isEqualTo(status));
    }

    @ParameterizedTest
    @CsvSource({
        "8, false, 1, false",
        "8, true, 1, false",
        "8, true, 2, true",
        "16, false, 1, false",
        "16, true, 2, false",
        "16, true, 1, true",
        "64, false, 2, true"
    })
    void whatTheHostProtectsTheControllerChecksAndReturns(int metadataBytes, boolean extended, int type, boolean first)
            throws IOException {
        NvmeNamespace namespace = format(metadataBytes, extended, type, first);
        assertThat(namespace.extendedBlockBytes()).isEqualTo(extended ? 512 + metadataBytes : 512);
        assertThat(namespace.isProtectionFirst()).isEqualTo(first);
        BlockProtection protection = new BlockProtection(namespace);
        DmaMemory data = filled((long) BLOCKS * namespace.extendedBlockBytes());
        DmaMemory metadata = filled((long) BLOCKS * metadataBytes);
        protection.protect(data.segment(), metadata.segment(), FIRST, TAG);
        NvmeCommand write = NvmeCommand.write(namespace, FIRST, BLOCKS)
                .data(data)
                .metadata(metadata)
                .protection(false, CHECK_ALL, (int) FIRST, TAG, 0xffff);
        queue.submit(write).await(SOON);
        byte[] written = data.segment().toArray(ValueLayout.JAVA_BYTE);
        byte[] writtenMetadata = metadata.segment().toArray(ValueLayout.JAVA_BYTE);
        data.segment().fill((byte) 0);
        metadata.segment().fill((byte) 0);
        if (extended) {
            queue.read(namespace, FIRST, data).await(SOON);
        } else {
            queue.read(namespace, FIRST, data, metadata).await(SOON);
            assertThat(metadata.segment().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(writtenMetadata);
        }
        assertThat(data.segment().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(written);
        protection.check(data.segment(), metadata.segment(), FIRST, TAG);

        data.segment().set(ValueLayout.JAVA_BYTE, namespace.extendedBlockBytes() + 5L, (byte) 1);
        assertThatThrownBy(() -> protection.check(data.segment(), metadata.segment(), FIRST, TAG))
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("block 101 of namespace")
                .hasMessageContaining("has the guard");
        assertRefused(Status.GUARD_CHECK_ERROR, write);
    }

    @Test
    void tagsOfAnotherBlockAreFound() throws IOException {
        NvmeNamespace namespace = format(8, false, 1, false);
        BlockProtection protection = new BlockProtection(namespace);
        DmaMemory data = filled(512);
        DmaMemory metadata = filled(8);
        protection.protect(data.segment(), metadata.segment(), FIRST, TAG);
        assertThatThrownBy(() -> protection.check(data.segment(), metadata.segment(), FIRST + 1, TAG))
                .hasMessageContaining("reference tag 0x64, and 0x65 was expected");
        assertThatThrownBy(() -> protection.check(data.segment(), metadata.segment(), FIRST, 1))
                .hasMessageContaining("application tag 0x1234, and 0x1 was expected");
        NvmeCommand elsewhere =
                NvmeCommand.write(namespace, FIRST + 1, 1).data(data).metadata(metadata);
        assertRefused(
                Status.REFERENCE_TAG_CHECK_ERROR, elsewhere.protection(false, CHECK_ALL, (int) FIRST + 1, TAG, 0xffff));
        metadata.segment().fill((byte) 0xff);
        assertThatCode(() -> protection.check(data.segment(), metadata.segment(), FIRST, TAG))
                .as("all ones are not checked")
                .doesNotThrowAnyException();
    }

    @ParameterizedTest
    @CsvSource({"1, false", "1, true", "2, false", "2, true", "3, true"})
    void aBlockDeviceHasItsBlocksProtectedByTheController(int type, boolean extended) throws IOException {
        NvmeNamespace namespace = format(8, extended, type, false);
        long size = controller.maximumTransferBytes() + 3 * 512;
        try (NvmeBlockDevice disk = new NvmeBlockDevice(controller, namespace, Waiting.POLL);
                DmaMemory data = filled(size)) {
            byte[] written = data.segment().toArray(ValueLayout.JAVA_BYTE);
            disk.write(FIRST, data);
            disk.flush();
            data.segment().fill((byte) 0);
            disk.read(FIRST, data);
            assertThat(data.segment().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(written);
            disk.writeZeroes(FIRST + 1, 2);
            disk.read(FIRST, data);
            assertThat(data.segment().asSlice(512, 1024).toArray(ValueLayout.JAVA_BYTE))
                    .containsOnly(0);
        }
        DmaMemory one = filled(namespace.extendedBlockBytes());
        DmaMemory metadata = filled(8);
        queue.submit(NvmeCommand.read(namespace, FIRST + 3, 1).data(one).metadata(metadata))
                .await(SOON);
        MemorySegment tuple = extended ? one.segment().asSlice(512, 8) : metadata.segment();
        int guard = ProtectionInformation.guard(0, one.segment(), 0, 512);
        assertThat(Short.reverseBytes(tuple.get(ValueLayout.JAVA_SHORT_UNALIGNED, 0)))
                .isEqualTo((short) guard);
    }

    @Test
    void aBlockDeviceHasNoPlaceForOtherMetadata() throws IOException {
        for (int type : new int[] {0, 1}) {
            NvmeNamespace namespace = format(16, false, type, false);
            assertThatThrownBy(() -> new NvmeBlockDevice(controller, namespace, Waiting.POLL))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("has 16 bytes of metadata a block")
                    .hasMessageContaining("format it without");
        }
    }

    @Test
    void buffersThatDoNotFitAreRefused() throws IOException {
        NvmeNamespace namespace = format(8, true, 0, false);
        assertThatThrownBy(() -> new BlockProtection(namespace)).hasMessageContaining("has no protection information");
        DmaMemory data = filled(1024);
        assertThatThrownBy(() -> queue.read(namespace, 0, data)).hasMessageContaining("blocks of 520");
        NvmeNamespace separate = format(8, false, 1, false);
        assertThatThrownBy(() -> queue.write(separate, 0, data, filled(8)))
                .hasMessageContaining("the metadata of 2 blocks");
        assertThatThrownBy(() -> new BlockProtection(separate)
                        .protect(data.segment(), MemorySegment.ofArray(new byte[15]), 0, 0))
                .hasMessageContaining("15 bytes of metadata");
    }
}
