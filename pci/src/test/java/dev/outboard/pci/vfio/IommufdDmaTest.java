package dev.outboard.pci.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.linux.Errno;
import dev.outboard.linux.Ioctl;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.ProcessMemory;
import dev.outboard.linux.StructView;
import dev.outboard.linux.uapi.Iommufd;
import dev.outboard.memory.DmaAllocator;
import dev.outboard.memory.DmaAllocator.AddressRange;
import dev.outboard.memory.DmaMemory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The calls of {@code /dev/iommu} as userspace-api/iommufd.rst describes them: no kernel of Debian's answers them. */
class IommufdDmaTest {
    private static final int ID = 7;

    /** An address space on paper. */
    private static final class Kernel implements IommufdDma.Calls {
        final List<AddressRange> allowed =
                new ArrayList<>(List.of(new AddressRange(0, 0xfedf_ffffL), new AddressRange(0xfef0_0000L, -1)));
        final TreeMap<Long, Long> mapped = new TreeMap<>();
        final List<String> log = new ArrayList<>();
        int rangesReported = -1;
        int failure;

        @Override
        public int ioctl(Ioctl request, MemorySegment argument) throws LinuxException {
            log.add(request.name());
            if (failure != 0) {
                throw new LinuxException("ioctl " + request.name(), "/dev/iommu", failure);
            }
            switch (request.name()) {
                case "IOMMU_IOAS_ALLOC" -> {
                    StructView alloc = Iommufd.IOAS_ALLOC.view(argument);
                    assertThat(alloc.get("size")).isEqualTo(12);
                    alloc.set("out_ioas_id", ID);
                }
                case "IOMMU_IOAS_IOVA_RANGES" -> ranges(Iommufd.IOAS_IOVA_RANGES.view(argument));
                case "IOMMU_IOAS_MAP" -> map(Iommufd.IOAS_MAP.view(argument));
                case "IOMMU_IOAS_UNMAP" -> {
                    StructView unmap = Iommufd.IOAS_UNMAP.view(argument);
                    assertThat(unmap.get("ioas_id")).isEqualTo(ID);
                    if (!Long.valueOf(unmap.get("length")).equals(mapped.remove(unmap.get("iova")))) {
                        throw new LinuxException("ioctl " + request.name(), "/dev/iommu", Errno.ENOENT);
                    }
                }
                case "VFIO_DEVICE_BIND_IOMMUFD" ->
                    assertThat(Iommufd.DEVICE_BIND.view(argument).get("iommufd"))
                            .isEqualTo(42);
                case "VFIO_DEVICE_ATTACH_IOMMUFD_PT" ->
                    assertThat(Iommufd.DEVICE_ATTACH.view(argument).get("pt_id"))
                            .isEqualTo(ID);
                default -> throw new AssertionError(request);
            }
            return 0;
        }

        private void ranges(StructView ranges) throws LinuxException {
            assertThat(ranges.get("ioas_id")).isEqualTo(ID);
            long room = ranges.get("num_iovas");
            ranges.set("num_iovas", rangesReported >= 0 ? rangesReported : allowed.size());
            if (room < allowed.size()) {
                throw new LinuxException("ioctl IOMMU_IOAS_IOVA_RANGES", "/dev/iommu", Errno.EMSGSIZE);
            }
            try (Arena arena = Arena.ofConfined();
                    ProcessMemory caller =
                            ProcessMemory.ofProcess(ProcessHandle.current().pid())) {
                MemorySegment found = arena.allocate(Iommufd.IOVA_RANGE.byteSize() * allowed.size(), Long.BYTES);
                for (int i = 0; i < allowed.size(); i++) {
                    Iommufd.IOVA_RANGE
                            .view(found.asSlice(i * Iommufd.IOVA_RANGE.byteSize()))
                            .set("start", allowed.get(i).first())
                            .set("last", allowed.get(i).last());
                }
                caller.writeFully(ranges.get("allowed_iovas"), found);
            }
        }

        private void map(StructView map) throws LinuxException {
            assertThat(map.get("size")).isEqualTo(40);
            assertThat(map.get("ioas_id")).isEqualTo(ID);
            assertThat(map.get("flags")).isEqualTo(7);
            assertThat(map.get("user_va") % 4096).isZero();
            mapped.put(map.get("iova"), map.get("length"));
        }
    }

    private final Kernel kernel = new Kernel();

    private IommufdDma attached() throws LinuxException {
        return VfioCdev.attach(kernel, kernel, 42);
    }

    @Test
    void aDeviceIsBoundBeforeAnAddressSpaceIsMadeAndAttached() throws LinuxException {
        assertThat(attached().id()).isEqualTo(ID);
        assertThat(kernel.log)
                .containsExactly("VFIO_DEVICE_BIND_IOMMUFD", "IOMMU_IOAS_ALLOC", "VFIO_DEVICE_ATTACH_IOMMUFD_PT");
    }

    @Test
    void memoryIsMappedWhereTheIommuAllowsAndUnmapped() throws IOException {
        IommufdDma dma = attached();
        try (DmaAllocator allocator = new DmaAllocator(dma, dma.usableAddresses())) {
            DmaMemory memory = allocator.allocate(3 << 20);
            assertThat(memory.deviceAddress()).isEqualTo(2 << 20);
            assertThat(kernel.mapped).containsExactly(Map.entry(2L << 20, 4L << 20));
        }
        assertThat(kernel.mapped).isEmpty();
        assertThatThrownBy(() -> dma.unmap(0x1000, 0x1000)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void anyNumberOfRangesIsReadAndNoneIsNegative() throws IOException {
        kernel.allowed.clear();
        for (long i = 1; i <= 100; i++) {
            kernel.allowed.add(new AddressRange(i << 24, (i << 24) + 0xff_ffff));
        }
        kernel.allowed.add(new AddressRange(1L << 40, -1));
        kernel.allowed.add(new AddressRange(1L << 63, -1));
        assertThat(attached().usableAddresses())
                .hasSize(101)
                .startsWith(new AddressRange(1 << 24, (2 << 24) - 1))
                .endsWith(new AddressRange(1L << 40, Long.MAX_VALUE));
    }

    @Test
    void aKernelThatReportsNonsenseIsNoReasonToHangOrToReadBeyond() throws IOException {
        IommufdDma dma = attached();
        kernel.rangesReported = 1_000_000;
        // More than there was room for, though it did not say so: what fits is there, the rest of it zeros.
        assertThat(dma.usableAddresses())
                .containsExactly(
                        new AddressRange(2 << 20, 0xfedf_ffffL), new AddressRange(0xfef0_0000L, Long.MAX_VALUE));
        for (int i = 0; i < 100; i++) {
            kernel.allowed.add(new AddressRange(0, 1));
        }
        for (int nonsense : new int[] {0, 16, 1_000_000}) {
            kernel.rangesReported = nonsense;
            assertThatExceptionOfType(LinuxException.class)
                    .isThrownBy(dma::usableAddresses)
                    .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EMSGSIZE));
        }
    }

    @Test
    void failuresSayWhatToDo() throws IOException {
        IommufdDma dma = attached();
        try (DmaAllocator allocator = new DmaAllocator(dma, dma.usableAddresses())) {
            kernel.failure = Errno.ENOMEM;
            assertThatExceptionOfType(LinuxException.class)
                    .isThrownBy(() -> allocator.allocate(1L << 40))
                    .withMessageContaining("ioctl IOMMU_IOAS_MAP /dev/iommu")
                    .withMessageContaining("1099511627776 bytes more were to be locked");
        }
        kernel.failure = Errno.EBUSY;
        assertThatExceptionOfType(LinuxException.class)
                .isThrownBy(this::attached)
                .withMessageContaining("another process has a device of its IOMMU group");
        kernel.failure = Errno.EPERM;
        assertThatExceptionOfType(LinuxException.class)
                .isThrownBy(this::attached)
                .withMessageContaining("remap interrupts");
    }
}
