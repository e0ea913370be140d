package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.emulation.nvme.NvmeOptions.PersistentRegion;
import dev.outboard.linux.uapi.Vfio;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The persistent memory region, and a controller memory buffer beside it. */
class NvmePersistentMemoryTest extends NvmeTestBase {
    private static final int SIZE = 64 << 10;
    private static final long BASE = 0x8_0000_0000L;
    private static final long BUFFER = 0x9_0000_0000L;

    @TempDir
    Path files;

    @Override
    NvmeOptions options() {
        return super.options()
                .withControllerMemoryBytes(SIZE)
                .withPersistentRegion(new PersistentRegion(SIZE, files.resolve("pmr")));
    }

    private void place(long address) throws IOException {
        driver.register(NvmeRegisters.PMRMSCU, address >>> 32);
        driver.register(NvmeRegisters.PMRMSCL, (address & 0xffff_f000L) | NvmeRegisters.PMRMSCL_CMSE.mask());
    }

    private long region(long offset) throws IOException {
        return driver.client.read(PersistentMemory.BAR, offset, 8);
    }

    @Test
    void itIsThereOnceTheHostEnablesIt() throws IOException {
        assertThat(NvmeRegisters.CAP_PMRS.isSet(driver.register(NvmeRegisters.CAP)))
                .isTrue();
        long capabilities = driver.register(NvmeRegisters.PMRCAP);
        assertThat(NvmeRegisters.PMRCAP_BIR.get(capabilities)).isEqualTo(PersistentMemory.BAR);
        assertThat(driver.register(NvmeRegisters.PMRSTS)).isEqualTo(NvmeRegisters.PMRSTS_NRDY.mask());
        place(BASE);
        assertThat(status(TestDriver.read(0, 1).prp1(BASE))).isEqualTo(Status.DATA_TRANSFER_ERROR);
        driver.register(NvmeRegisters.PMRCTL, 1);
        assertThat(driver.register(NvmeRegisters.PMRSTS)).isZero();
        assertThat(status(TestDriver.read(0, 1).prp1(BASE))).isZero();
        driver.register(NvmeRegisters.PMRCTL, 0);
        assertThat(driver.register(NvmeRegisters.PMRSTS)).isEqualTo(NvmeRegisters.PMRSTS_NRDY.mask());
        assertThat(status(TestDriver.read(0, 1).prp1(BASE))).isEqualTo(Status.DATA_TRANSFER_ERROR);
    }

    @Test
    void dataLieThereAndInTheBufferBesideIt() throws IOException {
        place(BASE);
        driver.register(NvmeRegisters.PMRCTL, 1);
        driver.register(NvmeRegisters.CMBMSC, BUFFER | 3);
        random(DATA, PAGE, 1);
        assertThat(status(TestDriver.write(0, 8).prp1(DATA))).isZero();
        assertThat(status(TestDriver.read(0, 8).prp1(BASE + PAGE))).isZero();
        assertThat(status(TestDriver.write(8, 8).prp1(BASE + PAGE))).isZero();
        assertThat(status(TestDriver.read(8, 8).prp1(BUFFER))).isZero();
        assertThat(status(TestDriver.write(16, 8).prp1(BUFFER))).isZero();
        assertThat(status(TestDriver.read(16, 8).prp1(OTHER))).isZero();
        assertThat(bytes(OTHER, PAGE)).isEqualTo(bytes(DATA, PAGE));
        assertThat(region(PAGE)).isEqualTo(driver.at(DATA, PAGE).get(JAVA_LONG, 0));
    }

    @Test
    void itIsNotWhereOtherMemoryIs() throws IOException {
        driver.register(NvmeRegisters.PMRCTL, 1);
        place(TestDriver.MEMORY);
        assertThat(driver.register(NvmeRegisters.PMRSTS)).isEqualTo(NvmeRegisters.PMRSTS_CBAI.mask());
        driver.register(NvmeRegisters.CMBMSC, BUFFER | 3);
        place(BUFFER + PAGE);
        assertThat(driver.register(NvmeRegisters.PMRSTS)).isEqualTo(NvmeRegisters.PMRSTS_CBAI.mask());
        place(BASE);
        assertThat(driver.register(NvmeRegisters.PMRSTS)).isZero();
    }

    @Test
    void whatItHoldsOutlivesResetsClientsAndTheModel() throws IOException {
        driver.register(NvmeRegisters.PMRCTL, 1);
        driver.client.write(PersistentMemory.BAR, 0x1008, 8, 42);
        reset();
        assertThat(driver.register(NvmeRegisters.PMRSTS))
                .as("a controller reset leaves it on")
                .isZero();
        driver.client.write(Vfio.VFIO_PCI_CONFIG_REGION_INDEX, 4, 2, 0);
        driver.close();
        connectDriver();
        assertThat(NvmeRegisters.PMRCTL_EN.isSet(driver.register(NvmeRegisters.PMRCTL)))
                .as("one of the function does not")
                .isFalse();
        driver.register(NvmeRegisters.PMRCTL, 1);
        assertThat(region(0x1008)).isEqualTo(42);
        serveAgain(options());
        driver.register(NvmeRegisters.PMRCTL, 1);
        assertThat(region(0x1008)).isEqualTo(42);
        byte[] file = Files.readAllBytes(files.resolve("pmr"));
        assertThat(file).hasSize(SIZE);
        assertThat(ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong(0x1008))
                .isEqualTo(42);
    }

    @Test
    void aControllerWithoutOneHasNoSuchRegisters() throws IOException {
        serveAgain(super.options());
        driver.register(NvmeRegisters.PMRCTL, 1);
        assertThat(driver.register(NvmeRegisters.PMRCTL)).isZero();
        assertThat(driver.register(NvmeRegisters.PMRCAP)).isZero();
    }
}
