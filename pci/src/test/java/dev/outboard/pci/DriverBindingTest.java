package dev.outboard.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceBusyException;
import dev.outboard.driver.DeviceException;
import dev.outboard.memory.Claim;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** When binding is refused, and what it writes; that the kernel does as told is shown by {@code VfioFunctionTest}. */
class DriverBindingTest {
    private static final String OVERRIDE = FakeMachine.device(FakeMachine.NVME) + "/driver_override";

    @TempDir
    private Path root;

    private FakeMachine machine;
    private final List<String> loaded = new ArrayList<>();

    @BeforeEach
    void build() throws IOException {
        machine = FakeMachine.typical(root);
        machine.namespace();
    }

    private DriverBinding nvme() {
        return new DriverBinding(machine.bus(), FakeMachine.NVME, module -> {
            loaded.add(module);
            return "no such module";
        });
    }

    /** Refused by name, and nothing is written. */
    private AbstractThrowableAssert<?, ? extends Throwable> assertBusy() throws IOException {
        assertThatThrownBy(() -> nvme().checkUnused()).isInstanceOf(DeviceBusyException.class);
        var refusal = assertThatThrownBy(() -> nvme().bind(DriverBinding.VFIO_PCI))
                .isInstanceOf(DeviceBusyException.class)
                .hasMessageStartingWith("0000:03:00.0 is not free: ");
        assertThat(machine.read(OVERRIDE)).isEqualTo("(null)");
        assertThat(machine.read("sys/bus/pci/drivers/nvme/unbind")).isEmpty();
        assertThat(loaded).isEmpty();
        return refusal;
    }

    @Test
    void anUnusedNamespaceIsFree() throws IOException {
        machine.write("proc/self/mountinfo", "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw");
        machine.write("proc/swaps", "Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2");
        assertThatCode(() -> nvme().checkUnused()).doesNotThrowAnyException();
    }

    @Test
    void aMountedPartitionIsRefused() throws IOException {
        machine.write(
                "proc/self/mountinfo",
                "30 22 259:2 / /mnt/my\\040disk rw,relatime shared:9 master:1 - ext4 /dev/nvme0n1p2 rw");
        assertBusy()
                .hasMessageContaining("nvme0n1p2 is mounted at /mnt/my disk")
                .hasMessageContaining("umount");
    }

    @Test
    void aMountIsKnownByItsSourceToo() throws IOException {
        // What btrfs mounts has numbers of its own.
        machine.write("proc/self/mountinfo", "30 22 0:45 / /data rw - btrfs /dev/nvme0n1 rw");
        assertBusy().hasMessageContaining("nvme0n1 is mounted at /data");
    }

    @Test
    void aMemberOfAMountedBtrfsIsRefused() throws IOException {
        machine.link("sys/fs/btrfs/1234-abcd/devices/nvme0n1p1", "sys/class/block/nvme0n1p1");
        assertBusy().hasMessageContaining("nvme0n1p1 is part of the mounted btrfs 1234-abcd");
    }

    @Test
    void swapIsRefused() throws IOException {
        machine.write("proc/swaps", "Filename Type Size Used Priority\n/dev/nvme0n1p1   partition 1 0 -2");
        assertBusy().hasMessageContaining("nvme0n1p1 is used as swap").hasMessageContaining("swapoff");
    }

    @Test
    void aPhysicalVolumeOfLvmIsRefused() throws IOException {
        machine.write("sys/devices/virtual/block/dm-0/dm/name", "vg-home");
        machine.block("sys/devices/virtual/block/dm-0", "dm-0", "254:0");
        machine.link("sys/class/block/nvme0n1p2/holders/dm-0", "sys/devices/virtual/block/dm-0");
        assertBusy().hasMessageContaining("nvme0n1p2 is part of dm-0 (vg-home)");
    }

    @Test
    void aMemberOfAnArrayIsRefused() throws IOException {
        machine.block("sys/devices/virtual/block/md127", "md127", "9:127");
        machine.link("sys/class/block/nvme0n1/holders/md127", "sys/devices/virtual/block/md127");
        assertBusy().hasMessageContaining("nvme0n1 is part of md127").hasMessageContaining("mdadm --stop");
    }

    @Test
    void aNamespaceThatControllersShareIsRefusedToo() throws IOException {
        machine = FakeMachine.typical(Files.createDirectory(root.resolve("other")));
        machine.sharedNamespace();
        machine.write("proc/self/mountinfo", "30 22 259:0 / /data rw - xfs /dev/nvme0n1 rw");
        assertBusy().hasMessageContaining("nvme0n1 is mounted at /data");
    }

    @Test
    void anotherFunctionsDiskDoesNotMatter() throws IOException {
        machine.write("proc/self/mountinfo", "30 22 259:0 / /data rw - xfs /dev/nvme0n1 rw");
        assertThatCode(() -> new DriverBinding(machine.bus(), FakeMachine.EDU).checkUnused())
                .doesNotThrowAnyException();
    }

    @Test
    void aNetworkInterfaceThatIsUpIsRefused() throws IOException {
        String flags = FakeMachine.device(FakeMachine.NVME) + "/net/enp3s0/flags";
        machine.write(flags, "0x1003");
        assertBusy().hasMessageContaining("enp3s0 is up").hasMessageContaining("ip link set enp3s0 down");
        assertThatThrownBy(() -> nvme().detach()).isInstanceOf(DeviceBusyException.class);
        assertThat(machine.read(OVERRIDE)).isEqualTo("(null)");
        machine.write(flags, "0x1002");
        assertThatCode(() -> nvme().checkUnused()).doesNotThrowAnyException();
    }

    @Test
    void anInterfaceOfVirtioThatIsUpIsRefused() throws IOException {
        machine.write(FakeMachine.device(FakeMachine.NVME) + "/virtio2/net/eth0/flags", "0x1");
        assertBusy().hasMessageContaining("eth0 is up");
    }

    @Test
    void aLockedDownKernelLeavesTheDriver() throws IOException {
        machine.write("sys/kernel/security/lockdown", "none [integrity] confidentiality");
        assertThatThrownBy(() -> nvme().detach())
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("locked down");
        assertThat(machine.read(OVERRIDE)).isEqualTo("(null)");
        machine.write("sys/kernel/security/lockdown", "[none] integrity confidentiality");
        assertThat(nvme().detach()).isEqualTo("nvme");
    }

    @Test
    void aDriverThatIsMissingIsLoaded() throws IOException {
        assertThatThrownBy(() -> nvme().bind(DriverBinding.VFIO_PCI))
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("the kernel has no PCI driver vfio-pci")
                .hasMessageContaining("no such module");
        assertThat(loaded).containsExactly("vfio-pci");
        assertThat(machine.read(OVERRIDE)).isEqualTo("(null)");
    }

    @Test
    void withoutAnIommuNothingIsTried() throws IOException {
        Files.delete(root.resolve(FakeMachine.device(FakeMachine.NVME) + "/iommu_group"));
        assertThatThrownBy(() -> nvme().bind(DriverBinding.VFIO_PCI)).hasMessageContaining("intel_iommu=on");
        assertThat(machine.read(OVERRIDE)).isEqualTo("(null)");
    }

    @Test
    void aKernelThatDoesNotBindIsSeenAndUndone() throws IOException {
        machine.write("sys/bus/pci/drivers/vfio-pci/unbind", "");
        // Nobody acts on what is written here, as a kernel would whose vfio-pci refuses the function.
        assertThatThrownBy(() -> nvme().bind(DriverBinding.VFIO_PCI))
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("vfio-pci does not take it (now: nvme)");
        assertThat(machine.read("sys/bus/pci/drivers/nvme/unbind")).isEqualTo("0000:03:00.0");
        assertThat(machine.read("sys/bus/pci/drivers_probe")).isEqualTo("0000:03:00.0");
        assertThat(Files.readString(root.resolve(OVERRIDE))).startsWith("\n");
    }

    @Test
    void whatSomebodyHasClaimedIsRefusedByName() throws IOException {
        machine.bind(FakeMachine.NVME, "vfio-pci");
        try (Claim claim = machine.bus().claim("03:00.0")) {
            assertThat(claim.target().name()).isEqualTo("pci:0000:03:00.0");
            assertThat(machine.bus().claims()).containsOnlyKeys(FakeMachine.NVME);
            assertThatThrownBy(() -> nvme().bind("nvme"))
                    .isInstanceOf(DeviceBusyException.class)
                    .hasMessageStartingWith("pci:0000:03:00.0 is in use by ")
                    .hasMessageContaining("(process " + ProcessHandle.current().pid() + " of ");
            assertThatThrownBy(() -> nvme().release())
                    .isInstanceOf(DeviceBusyException.class)
                    .hasMessageStartingWith("pci:0000:03:00.0 is in use by ");
        }
        assertThat(machine.read(OVERRIDE)).isEqualTo("(null)");
        assertThat(machine.bus().claims()).isEmpty();
    }

    @Test
    void aRegisterIsClaimedApartFromOthersButNotFromItsFunction() throws IOException {
        PciBus bus = machine.bus();
        try (Claim doorbells = bus.claimRegisters(FakeMachine.NVME, 0, 0x1000, 0x1000);
                Claim first = bus.claimRegisters(FakeMachine.NVME, 0, 0, 0x1000);
                Claim other = bus.claimRegisters(FakeMachine.NVME, 4, 0x1000, 0x1000)) {
            assertThatThrownBy(() -> bus.claimRegisters(FakeMachine.NVME, 0, 0x1ffc, 8))
                    .isInstanceOf(DeviceBusyException.class)
                    .hasMessageContaining("which has " + doorbells.target());
            assertThatThrownBy(() -> bus.claim(FakeMachine.NVME)).isInstanceOf(DeviceBusyException.class);
            assertThat(bus.claims()).containsOnlyKeys(FakeMachine.NVME);
            assertThat(first.target().overlaps(other.target())).isFalse();
        }
        try (Claim whole = bus.claim(FakeMachine.NVME)) {
            assertThatThrownBy(() -> bus.claimRegisters(FakeMachine.NVME, 5, 0, 1))
                    .isInstanceOf(DeviceBusyException.class)
                    .hasMessageContaining("which has " + whole.target());
        }
        assertThatThrownBy(() -> bus.claimRegisters(FakeMachine.NVME, 6, 0, 1))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> bus.claimRegisters(FakeMachine.NVME, 0, -1, 1))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> bus.claimRegisters(FakeMachine.NVME, 0, 0, 0))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> bus.claimRegisters(FakeMachine.NVME, 0, (1L << 56) - 4, 8))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> bus.claim("nvme0")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void bindingToWhoHasItDoesNothing() throws IOException {
        assertThat(nvme().bind("nvme")).isEqualTo("nvme");
        assertThat(machine.read(OVERRIDE)).isEqualTo("(null)");
        assertThat(nvme().release()).isEqualTo("nvme");
        assertThat(machine.read("sys/bus/pci/drivers/nvme/unbind")).isEmpty();
    }
}
