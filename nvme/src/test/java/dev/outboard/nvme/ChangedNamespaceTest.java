package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.Waiting;
import dev.outboard.emulation.nvme.NvmeOptions;
import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.nvme.Opcode;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the controller takes to be longer than the host does: nothing else's memory is written. */
class ChangedNamespaceTest {
    private static final int BLOCKS_OF_4096 = 4;

    @RegisterExtension
    final ServedModel model = new ServedModel(NvmeOptions.DEFAULT.withSizeBytes(16 << 20));

    @Test
    void aBlockDeviceRefusesOnceItsNamespaceHasOtherBlocks() throws IOException {
        try (NvmeController controller = Nvme.open(model.address());
                NvmeBlockDevice disk = new NvmeBlockDevice(controller, controller.namespace(1), Waiting.POLL);
                DmaMemory buffer = controller.dma().allocate(64 << 10)) {
            disk.read(0, buffer);
            controller.admin().namespaces().format(1, NamespaceFormat.of(BLOCKS_OF_4096), 0);
            assertThatExceptionOfType(DeviceException.class)
                    .isThrownBy(() -> disk.read(0, buffer))
                    .withMessageContaining("was formatted, resized or deleted since");
            assertThatExceptionOfType(DeviceException.class).isThrownBy(() -> disk.writeZeroes(0, 8));
            try (NvmeBlockDevice again = new NvmeBlockDevice(controller, controller.namespace(1), Waiting.POLL)) {
                again.read(0, buffer);
            }
        }
    }

    @Test
    void aTransferThatIsLongerThanItsBufferDoesNotGoToTheBufferOfTheTransferBefore() throws IOException {
        try (NvmeController controller = Nvme.open(model.address());
                QueuePair queue = controller.createQueuePair(1);
                DmaMemory before = controller.dma().allocate(512 << 10);
                DmaMemory buffer = controller.dma().allocate(64 << 10)) {
            NvmeNamespace old = controller.namespace(1);
            queue.read(old, 0, before).await(controller.commandTimeout());
            queue.read(old, 0, before).await(controller.commandTimeout());
            queue.read(old, 0, before).await(controller.commandTimeout());
            before.segment().fill((byte) 0x5a);
            controller.admin().namespaces().format(1, NamespaceFormat.of(BLOCKS_OF_4096), 0);
            for (int i = 0; i < 3; i++) {
                assertThatExceptionOfType(NvmeException.class)
                        .isThrownBy(() -> queue.read(old, 0, buffer).await(controller.commandTimeout()));
            }
            assertThat(before.segment().toArray(ValueLayout.JAVA_BYTE)).containsOnly(0x5a);
        }
    }

    @Test
    void adminCommandsThatTransferDataAnywayNeedRoomForThem() throws IOException {
        try (NvmeController controller = Nvme.open(model.address())) {
            AdminCommands admin = controller.admin();
            assertThatIllegalArgumentException()
                    .isThrownBy(
                            () -> admin.execute(NvmeCommand.of(Opcode.IDENTIFY).dword(10, 1)))
                    .withMessageContaining("transfers 4096 bytes");
            assertThatIllegalArgumentException()
                    .isThrownBy(
                            () -> admin.receive(NvmeCommand.of(Opcode.IDENTIFY).dword(10, 1), 512));
            assertThatIllegalArgumentException()
                    .isThrownBy(() ->
                            admin.receive(NvmeCommand.of(Opcode.GET_LOG_PAGE).dword(10, 0xff0002), 512));
        }
    }
}
