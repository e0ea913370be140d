package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.emulation.TestClient;
import dev.outboard.emulation.nvme.TestDriver.Command;
import dev.outboard.linux.Fd;
import dev.outboard.linux.Mman;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import dev.outboard.specs.vfiouser.VfioUser;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The controller memory buffer. */
class NvmeControllerMemoryTest extends NvmeTestBase {
    private static final int SIZE = 64 << 10;
    private static final long BASE = 0x8_0000_0000L;
    private static final int ENABLED = 3;

    private final Arena arena = Arena.ofShared();
    private MemorySegment memory;

    @Override
    NvmeOptions options() {
        return super.options().withControllerMemoryBytes(SIZE);
    }

    @BeforeEach
    void map() throws IOException {
        var info = driver.client.call(
                VfioUser.DEVICE_GET_REGION_INFO,
                TestClient.buffer(32).putInt(64).putInt(0).putInt(ControllerMemory.BAR));
        try (Fd bar = info.descriptors().getFirst()) {
            memory = bar.mmap(0, SIZE, Mman.PROT_READ | Mman.PROT_WRITE, Mman.MAP_SHARED, arena);
        }
    }

    @AfterEach
    void unmap() {
        arena.close();
    }

    @Test
    void itIsSeenOnceTheHostAsksForIt() throws IOException {
        assertThat(NvmeRegisters.CAP_CMBS.isSet(driver.register(NvmeRegisters.CAP)))
                .isTrue();
        assertThat(driver.register(NvmeRegisters.CMBSZ)).isZero();
        driver.register(NvmeRegisters.CMBMSC, 1);
        long size = driver.register(NvmeRegisters.CMBSZ);
        assertThat(NvmeRegisters.CMBSZ_SZ.get(size) * 4096).isEqualTo(SIZE);
        assertThat(NvmeRegisters.CMBLOC_BIR.get(driver.register(NvmeRegisters.CMBLOC)))
                .isEqualTo(ControllerMemory.BAR);
        assertThat(status(TestDriver.read(0, 1).prp1(BASE))).isEqualTo(Status.DATA_TRANSFER_ERROR);
    }

    @Test
    void dataAndQueuesLieThere() throws IOException {
        driver.register(NvmeRegisters.CMBMSC, BASE | ENABLED);
        random(DATA, PAGE, 1);
        memory.asSlice(0x2000, PAGE).copyFrom(driver.at(DATA, PAGE));
        assertThat(status(TestDriver.write(0, 8).prp1(BASE + 0x2000))).isZero();
        assertThat(status(TestDriver.read(0, 8).prp1(OTHER))).isZero();
        assertThat(bytes(OTHER, PAGE)).isEqualTo(bytes(DATA, PAGE));
        assertThat(status(TestDriver.read(0, 8).prp1(BASE + 0x4000))).isZero();
        assertThat(memory.asSlice(0x4000, PAGE).toArray(JAVA_BYTE)).isEqualTo(bytes(DATA, PAGE));

        assertThat(adminStatus(new Command(Opcode.CREATE_IO_SUBMISSION_QUEUE)
                        .prp1(BASE)
                        .dwords(3 << 16 | 2, 1 << 16 | 1)))
                .isZero();
        memory.set(JAVA_INT, SubmissionEntry.CDW0, Opcode.FLUSH | 0x77 << 16);
        memory.set(JAVA_INT, SubmissionEntry.NSID, 1);
        driver.ringTail(2, 1);
        assertThat(driver.await(io).commandId()).isEqualTo(0x77);
        assertThat(driver.client.read(ControllerMemory.BAR, 0, 4)).isEqualTo(Opcode.FLUSH | 0x77 << 16);
    }

    @Test
    void itIsNotWhereTheHostHasMemory() throws IOException {
        driver.register(NvmeRegisters.CMBMSC, TestDriver.MEMORY | ENABLED);
        assertThat(driver.register(NvmeRegisters.CMBSTS)).isEqualTo(1);
        driver.at(DATA, 8).set(JAVA_LONG, 0, 0);
        assertThat(status(TestDriver.read(0, 1).prp1(DATA))).isZero();
        driver.register(NvmeRegisters.CMBMSC, BASE | ENABLED);
        assertThat(driver.register(NvmeRegisters.CMBSTS)).isZero();
        driver.register(NvmeRegisters.CMBMSC, 0);
        assertThat(status(TestDriver.read(0, 1).prp1(BASE))).isEqualTo(Status.DATA_TRANSFER_ERROR);
    }
}
