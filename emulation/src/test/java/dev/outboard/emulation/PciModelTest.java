package dev.outboard.emulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.specs.pci.PciConfiguration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Configuration space. */
class PciModelTest {
    private final RegisterModel model = new RegisterModel();
    private final ConfigurationSpace configuration = model.configuration();

    @AfterEach
    void close() {
        model.close();
    }

    @Test
    void aBarTellsItsSize() {
        model.writeConfiguration(0x10, 4, 0xffffffffL);
        assertThat(configuration.read(0x10, 4)).isEqualTo(0xfffff000L);
        model.writeConfiguration(0x18, 8, -1);
        assertThat(configuration.read(0x18, 8)).isEqualTo(0xfffffffffffff004L);
        model.writeConfiguration(0x14, 4, 0xffffffffL);
        assertThat(configuration.read(0x14, 4)).as("a BAR that is not there").isZero();
    }

    @Test
    void readOnlyRegistersIgnoreWrites() {
        model.writeConfiguration(0, 4, 0);
        assertThat(configuration.read(0, 4)).isEqualTo(0x56781234L);
        model.writeConfiguration(4, 2, 0xffff);
        assertThat(configuration.read(4, 2)).isEqualTo(0x0407);
    }

    @Test
    void theCapabilityListHoldsPciExpressAndMsix() {
        assertThat(PciConfiguration.STATUS_CAPABILITIES.isSet(configuration.read(PciConfiguration.STATUS)))
                .isTrue();
        int express = (int) configuration.read(PciConfiguration.CAPABILITIES_POINTER);
        assertThat(configuration.read(express, 1)).isEqualTo(PciConfiguration.CAPABILITY_EXPRESS);
        int msix = (int) configuration.read(express + 1, 1);
        assertThat(configuration.read(msix, 1)).isEqualTo(PciConfiguration.CAPABILITY_MSIX);
        assertThat(configuration.read(msix + 1, 1)).as("the end of the list").isZero();
        assertThat(configuration.read(msix + 2, 2)).isEqualTo(RegisterModel.VECTORS - 1);
        assertThat(configuration.read(msix + 4, 4)).isEqualTo(PciModel.MSIX_BAR);
        assertThat(configuration.read(msix + 8, 4)).isEqualTo(0x1000 | PciModel.MSIX_BAR);
    }

    @Test
    void theFunctionResetsItselfWhenToldByItsExpressCapability() {
        int express = (int) configuration.read(PciConfiguration.CAPABILITIES_POINTER);
        model.writeConfiguration(4, 2, 4);
        model.writeConfiguration(express + 8, 2, 1 << 15);
        assertThat(configuration.read(4, 2)).isZero();
        assertThat(configuration.read(express + 8, 2)).isZero();
    }

    @Test
    void theMsixTableIsMaskedAfterReset() {
        Bar table = model.bar(PciModel.MSIX_BAR);
        assertThat(table.access().read(12, 4)).isEqualTo(1);
        table.access().write(0, 8, 0xfee00000L);
        assertThat(table.access().read(0, 4)).isEqualTo(0xfee00000L);
        table.access().write(RegisterModel.VECTORS * 16L, 4, 1);
        assertThat(table.access().read(RegisterModel.VECTORS * 16L, 4))
                .as("beyond the table")
                .isZero();
    }
}
