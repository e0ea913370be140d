package dev.outboard.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PciBusTest {
    @TempDir
    private Path root;

    @Test
    void aMachineWithoutPciHasNoFunctions() throws IOException {
        assertThat(PciBus.at(root).devices()).isEmpty();
        Files.createDirectories(root.resolve("sys/bus/pci/devices"));
        assertThat(PciBus.at(root).devices()).isEmpty();
    }

    @Test
    void functionsAreListedByAddress() throws IOException {
        List<PciDevice> devices = FakeMachine.typical(root).bus().devices();
        assertThat(devices).extracting(PciDevice::address).containsExactly(FakeMachine.EDU, FakeMachine.NVME);
        PciDevice nvme = devices.get(1);
        assertThat(nvme.vendorId()).isEqualTo(0x144d);
        assertThat(nvme.deviceId()).isEqualTo(0xa80a);
        assertThat(nvme.subsystemVendorId()).isEqualTo(0x1af4);
        assertThat(nvme.subsystemId()).isEqualTo(0x1100);
        assertThat(nvme.classCode()).isEqualTo(0x010802);
        assertThat(nvme.revision()).isEqualTo(2);
        assertThat(nvme.driver()).isEqualTo("nvme");
        assertThat(nvme.iommuGroup()).hasValue(14);
        assertThat(nvme.numaNode()).hasValue(1);
        assertThat(nvme).hasToString("0000:03:00.0 (144d:a80a)");
        PciDevice edu = devices.getFirst();
        assertThat(edu.driver()).isNull();
        assertThat(edu.numaNode()).isEmpty();
    }

    @Test
    void barsAreThoseThatLeadSomewhere() throws IOException {
        assertThat(FakeMachine.typical(root).bus().device(FakeMachine.NVME).bars())
                .containsExactly(
                        new PciBar(0, 0xfe80_0000L, 0x4000, false, false),
                        new PciBar(2, 0xe000, 0x100, true, false),
                        new PciBar(4, 0x40_0000_0000L, 1L << 32, false, true));
    }

    @Test
    void vfioIsAnAccessPathWhereTheDriverAndTheNodeAre() throws IOException {
        FakeMachine machine = FakeMachine.typical(root);
        machine.bind(FakeMachine.EDU, "vfio-pci");
        assertThat(machine.bus().device(FakeMachine.EDU).accessPaths()).isEmpty();
        machine.write("dev/vfio/15", "");
        machine.write("dev/vfio/14", "");
        assertThat(machine.bus().device(FakeMachine.EDU).accessPaths()).containsExactly("vfio");
        assertThat(machine.bus().device(FakeMachine.NVME).accessPaths()).isEmpty();
        machine.bind(FakeMachine.NVME, "mlx5_vfio_pci");
        assertThat(machine.bus().device(FakeMachine.NVME).accessPaths()).containsExactly("vfio");
    }

    @Test
    void aFunctionWithoutAnIommuSaysHowToSwitchItOn() throws IOException {
        FakeMachine machine = FakeMachine.typical(root);
        Files.delete(root.resolve(FakeMachine.device(FakeMachine.EDU) + "/iommu_group"));
        PciDevice edu = machine.bus().device(FakeMachine.EDU);
        assertThat(edu.iommuGroup()).isEqualTo(OptionalInt.empty());
        assertThatThrownBy(edu::requireIommuGroup)
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("intel_iommu=on");
    }

    @Test
    void addressesHaveAShortForm() throws IOException {
        PciBus bus = FakeMachine.typical(root).bus();
        assertThat(bus.device("03:00.0")).isEqualTo(bus.device("0000:03:00.0"));
        assertThat(PciBus.canonical("AF:1F.7")).isEqualTo("0000:af:1f.7");
        for (String wrong : List.of("", "3:0.0", "03:00", "03:20.0", "03:00.8", "../03:00.0", "0000:03:00.0/")) {
            assertThatThrownBy(() -> bus.device(wrong)).isInstanceOf(IllegalArgumentException.class);
        }
        assertThatThrownBy(() -> bus.device("04:00.0"))
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("there is no PCI function 0000:04:00.0");
    }

    @Test
    void namesComeFromTheListOfThePciIdProject() throws IOException {
        FakeMachine machine = FakeMachine.typical(root);
        PciBus unnamed = machine.bus();
        assertThat(unnamed.names(unnamed.device(FakeMachine.NVME))).isEqualTo(new PciNames(null, null, null));
        Files.createDirectories(root.resolve("usr/share/misc"));
        Files.writeString(root.resolve("usr/share/misc/pci.ids"), """
                # A comment
                1234  Technical Corp.
                \ta80a  Not this one
                144d  Samsung Electronics Co Ltd
                \ta809  Older
                # In between
                \ta80a  NVMe SSD Controller PM9A1
                \t\t1af4 a80b  A card
                144e  OLITEC
                \ta80b  Not that one

                C 00  Unclassified device
                \t00  Non-VGA unclassified device
                C 01  Mass storage controller
                \t08  Non-Volatile memory controller
                \t\t01  NVMHCI
                \t\t02  NVM Express
                \t09  Something else""");
        PciBus bus = machine.bus();
        assertThat(bus.names(bus.device(FakeMachine.NVME)))
                .isEqualTo(new PciNames(
                        "Samsung Electronics Co Ltd",
                        "NVMe SSD Controller PM9A1",
                        "Non-Volatile memory controller (NVM Express)"));
        assertThat(bus.names(bus.device(FakeMachine.EDU)))
                .isEqualTo(new PciNames("Technical Corp.", null, "Unclassified device"));
    }

    @Test
    void thisMachineCanBeListed() throws IOException {
        PciBus bus = PciBus.system();
        for (PciDevice device : bus.devices()) {
            assertThat(bus.device(device.address())).isEqualTo(device);
            assertThat(bus.names(device)).isNotNull();
        }
    }

    @Test
    void aFunctionHasANodeOfItsOwnWhereTheKernelHasAddressSpaces() throws IOException {
        FakeMachine machine = FakeMachine.typical(root);
        machine.bind(FakeMachine.EDU, "vfio-pci");
        assertThat(machine.bus().vfioNode(FakeMachine.EDU)).isEmpty();
        machine.link(FakeMachine.device(FakeMachine.EDU) + "/vfio-dev/vfio3", "sys/devices/vfio3");
        Path node = machine.write("dev/vfio/devices/vfio3", "");
        assertThat(machine.bus().vfioNode(FakeMachine.EDU)).isEmpty();
        assertThat(machine.bus().device(FakeMachine.EDU).accessPaths()).isEmpty();
        machine.write("dev/iommu", "");
        assertThat(machine.bus().vfioNode(FakeMachine.EDU)).contains(node);
        assertThat(machine.bus().vfioNode(FakeMachine.NVME)).isEmpty();
        assertThat(machine.bus().device(FakeMachine.EDU).accessPaths()).containsExactly("vfio");
    }
}
