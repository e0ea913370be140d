package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceTimeoutException;
import dev.outboard.nvme.PersistentMemory.Health;
import dev.outboard.specs.nvme.NvmeRegisters;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a controller says of its persistent memory region, and what the driver makes of it. */
class PersistentMemoryTest {
    private static final NvmeSettings SETTINGS = NvmeSettings.DEFAULT.withPersistentMemory(true);

    private final FakeController fake = new FakeController();

    @BeforeEach
    void hasRegion() {
        fake.capabilities |= NvmeRegisters.CAP_PMRS.mask();
        fake.says(NvmeRegisters.PMRCAP, NvmeRegisters.PMRCAP_BIR.of(4) | NvmeRegisters.PMRCAP_RDS.mask());
    }

    private void assertRefused(Class<? extends Exception> type, String says) {
        assertThatThrownBy(() -> Nvme.open(fake, SETTINGS))
                .isInstanceOf(type)
                .hasMessageContaining("fake:nvme")
                .hasMessageContaining(says)
                .hasMessageContaining("open it without");
        assertThat(fake.closed).isTrue();
    }

    @Test
    void aControllerWithoutOneIsRefused() {
        fake.capabilities &= ~NvmeRegisters.CAP_PMRS.mask();
        assertRefused(DeviceException.class, "has no persistent memory region (CAP.PMRS)");
    }

    @Test
    void aBarThatCannotBeIsRefused() {
        fake.says(NvmeRegisters.PMRCAP, NvmeRegisters.PMRCAP_BIR.of(7));
        assertRefused(DeviceException.class, "persistent memory region are 0 bytes at 0x0 of BAR 7, which cannot be");
    }

    @Test
    void aRegionThatIsNeverReadyIsWaitedForAsLongAsItAsks() {
        fake.says(NvmeRegisters.PMRSTS, NvmeRegisters.PMRSTS_NRDY.mask());
        assertRefused(DeviceTimeoutException.class, "within 500 ms, the time that it asks for (PMRCAP.PMRTO)");
    }

    @Test
    void anAddressThatIsNotTakenIsRefused() {
        fake.says(NvmeRegisters.PMRSTS, NvmeRegisters.PMRSTS_CBAI.mask());
        assertRefused(DeviceException.class, "does not take 0x20000000000 for the address");
    }

    @Test
    void withoutAnAddressDataDoNotGoThere() throws IOException {
        try (NvmeController controller = Nvme.open(fake, SETTINGS)) {
            PersistentMemory memory = controller.persistentMemory().orElseThrow();
            assertThat(memory.takesReads()).as("RDS without CMSS").isFalse();
            assertThat(fake.written(NvmeRegisters.PMRMSCL)).isZero();
            assertThat(fake.written(NvmeRegisters.PMRCTL)).isEqualTo(1);
        }
    }

    @Test
    void itsStateIsTold() throws IOException {
        try (NvmeController controller = Nvme.open(fake, SETTINGS)) {
            PersistentMemory memory = controller.persistentMemory().orElseThrow();
            List<Health> states = List.of(Health.NORMAL, Health.RESTORE_ERROR, Health.READ_ONLY, Health.UNRELIABLE);
            for (int code = 0; code < states.size(); code++) {
                fake.says(NvmeRegisters.PMRSTS, NvmeRegisters.PMRSTS_HSTS.of(code));
                assertThat(memory.persist()).isEqualTo(states.get(code));
            }
            for (long wrong : new long[] {
                NvmeRegisters.PMRSTS_HSTS.of(4), NvmeRegisters.PMRSTS_ERR.of(1), NvmeRegisters.PMRSTS_NRDY.of(1)
            }) {
                fake.says(NvmeRegisters.PMRSTS, wrong);
                assertThatThrownBy(memory::health)
                        .isInstanceOf(DeviceException.class)
                        .hasMessageContaining("is not in order: PMRSTS is 0x" + Long.toHexString(wrong));
            }
        }
    }

    @Test
    void itsSpeedIsToldInBytes() throws IOException {
        try (NvmeController controller = Nvme.open(fake, SETTINGS)) {
            PersistentMemory memory = controller.persistentMemory().orElseThrow();
            assertThat(memory.elasticityBufferBytes()).isEmpty();
            assertThat(memory.sustainedBytesPerSecond()).isEmpty();
            fake.says(NvmeRegisters.PMREBS, NvmeRegisters.PMREBS_PMRWBZ.of(3) | NvmeRegisters.PMREBS_PMRSZU.of(1));
            fake.says(NvmeRegisters.PMRSWTP, NvmeRegisters.PMRSWTP_PMRSWTV.of(5) | NvmeRegisters.PMRSWTP_PMRSWTU.of(3));
            assertThat(memory.elasticityBufferBytes()).hasValue(3 << 10);
            assertThat(memory.sustainedBytesPerSecond()).hasValue(5L << 30);
            fake.says(NvmeRegisters.PMRSWTP, NvmeRegisters.PMRSWTP_PMRSWTV.of(5) | NvmeRegisters.PMRSWTP_PMRSWTU.of(4));
            assertThat(memory.sustainedBytesPerSecond()).isEmpty();
        }
    }
}
