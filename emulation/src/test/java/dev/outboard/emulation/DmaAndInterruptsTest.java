package dev.outboard.emulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.linux.Errno;
import dev.outboard.linux.EventFd;
import dev.outboard.linux.Fd;
import dev.outboard.linux.uapi.Vfio;
import dev.outboard.specs.vfiouser.VfioUser;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** DMA_MAP, DMA_UNMAP and SET_IRQS: what is kept, and what is refused. */
class DmaAndInterruptsTest {
    private static final int READ_WRITE = VfioUser.DMA_MAP_READ | VfioUser.DMA_MAP_WRITE;
    private static final int FILE_BYTES = 0x4000;
    private static final int MSIX = Vfio.VFIO_PCI_MSIX_IRQ_INDEX;
    private static final int INTX = Vfio.VFIO_PCI_INTX_IRQ_INDEX;
    private static final int CONNECT = Vfio.VFIO_IRQ_SET_DATA_EVENTFD | Vfio.VFIO_IRQ_SET_ACTION_TRIGGER;
    private static final int TRIGGER = Vfio.VFIO_IRQ_SET_DATA_NONE | Vfio.VFIO_IRQ_SET_ACTION_TRIGGER;
    private static final int TRIGGER_SOME = Vfio.VFIO_IRQ_SET_DATA_BOOL | Vfio.VFIO_IRQ_SET_ACTION_TRIGGER;
    private static final int MASK = Vfio.VFIO_IRQ_SET_DATA_NONE | Vfio.VFIO_IRQ_SET_ACTION_MASK;
    private static final int UNMASK = Vfio.VFIO_IRQ_SET_DATA_NONE | Vfio.VFIO_IRQ_SET_ACTION_UNMASK;
    private static final byte[] NO_DATA = {};
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    @RegisterExtension
    final Served<RegisterModel> served = new Served<>(RegisterModel::new);

    private RegisterModel model;
    private TestClient client;
    private Fd file;

    @BeforeEach
    void connect() throws IOException {
        model = served.model();
        client = served.negotiated();
        file = Fd.memfd("test", FILE_BYTES);
    }

    @AfterEach
    void stop() {
        file.close();
        client.close();
    }

    @Test
    void regionsAreMappedAndUnmapped() throws IOException {
        assertThat(client.map(0x10000, 0x2000, READ_WRITE, 0, file)).isZero();
        assertThat(client.map(0x12000, 0x1000, VfioUser.DMA_MAP_READ, 0x3000, file))
                .isZero();
        assertThat(model.dmaRegions())
                .extracting(DmaRegion::toString)
                .containsExactly("0x10000+0x2000 readable writable", "0x12000+0x1000 readable");
        assertThat(client.unmap(0x10000, 0x2000, 0)).isZero();
        assertThat(client.unmap(0x10000, 0x2000, 0)).isEqualTo(Errno.ENOENT);
        assertThat(client.unmap(0, 0, VfioUser.DMA_UNMAP_ALL)).isZero();
        assertThat(model.dmaRegions()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"0, 0x80000000", "0x10000, 0x4000", "0xf000, 0x5000"})
    void aRangeIsUnmappedWithAllRegionsInIt(String address, String size) throws IOException {
        assertThat(client.map(0x10000, 0x2000, READ_WRITE, 0, file)).isZero();
        assertThat(client.map(0x13000, 0x1000, READ_WRITE, 0, file)).isZero();
        assertThat(client.map(0x8000_0000L, 0x1000, READ_WRITE, 0, file)).isZero();
        assertThat(client.unmap(Long.decode(address), Long.decode(size), 0)).isZero();
        assertThat(model.dmaRegions())
                .extracting(DmaRegion::toString)
                .containsExactly("0x80000000+0x1000 readable writable");
        assertThat(client.map(0x10000, 0x4000, READ_WRITE, 0, file)).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "0x10000, 0x1000",
        "0x11000, 0x1000",
        "0xf000, 0x2000",
        "0x11000, 0x80000000",
        "0x12000, 0x1000",
        "0, 0x10000",
        "0x10000, 0",
        "0x20000, -4096"
    })
    void aPartOfARegionAndWhatIsNotMappedAreNotUnmapped(String address, String size) throws IOException {
        assertThat(client.map(0x10000, 0x2000, READ_WRITE, 0, file)).isZero();
        assertThat(client.unmap(Long.decode(address), Long.decode(size), 0)).isEqualTo(Errno.ENOENT);
        assertThat(model.dmaRegions()).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource({
        "0x10000, 0x1000",
        "0xf000, 0x2000",
        "0x11000, 0x1000",
        "0x11000, 0x2000",
        "0xf000, 0x4000",
        "0x0, 0x20000",
    })
    void aMapOverAnExistingOneIsRefused(String address, String size) throws IOException {
        assertThat(client.map(0x10000, 0x2000, READ_WRITE, 0, file)).isZero();
        // Without a descriptor, so that the file's size is not what it fails for.
        assertThat(client.map(Long.decode(address), Long.decode(size), READ_WRITE, 0))
                .isEqualTo(Errno.EEXIST);
        assertThat(model.dmaRegions()).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource({
        "0x10000, 0x5000, 0",
        "0x10000, 0x1000, 0x4000",
        "0x10000, 0, 0",
        "0x10000, -4096, 0",
        "0x10000, 0x1000, -4096",
        "0x10001, 0x1000, 0",
        "0x10000, 0x1001, 0",
        "0x10000, 0x1000, 1",
        "-4096, 0x2000, 0",
        "0x10000, 0x1000, 0x7ffffffffffff000",
        "0x10000, 0x7ffffffffffff000, 0x1000",
    })
    void aMapThatDoesNotFitIsRefused(String address, String size, String offset) throws IOException {
        assertThat(client.map(Long.decode(address), Long.decode(size), READ_WRITE, Long.decode(offset), file))
                .isEqualTo(Errno.EINVAL);
        assertThat(model.dmaRegions()).isEmpty();
    }

    @Test
    void theLastPageOfTheAddressSpaceCanBeMapped() throws IOException {
        assertThat(client.map(-4096, 4096, READ_WRITE, 0, file)).isZero();
        DmaRegion region = model.dmaRegions().getFirst();
        assertThat(region.contains(-4096, 4096)).isTrue();
        assertThat(region.contains(-1, 1)).isTrue();
        assertThat(region.contains(-1, 2)).isFalse();
        assertThat(region.contains(-4097, 1)).isFalse();
        assertThat(region.contains(-4096, -1)).isFalse();
    }

    @Test
    void memoryWithoutADescriptorIsKnownButOutOfReach() throws IOException {
        assertThat(client.map(0x10000, 0x1000, READ_WRITE, 0)).isZero();
        assertThat(model.dmaRegions().getFirst().contains(0x10000, 1)).isFalse();
    }

    @Test
    void unknownFlagsAreRefused() throws IOException {
        assertThat(client.map(0x10000, 0x1000, 4, 0, file)).isEqualTo(Errno.EINVAL);
        assertThat(client.unmap(0x10000, 0x1000, 4)).isEqualTo(Errno.EINVAL);
    }

    @Test
    void aDirtyBitmapIsRefusedAndTheMapStays() throws IOException {
        assertThat(client.map(0x10000, 0x1000, READ_WRITE, 0, file)).isZero();
        assertThat(client.unmap(0x10000, 0x1000, VfioUser.DMA_UNMAP_GET_DIRTY_BITMAP))
                .isEqualTo(Errno.EOPNOTSUPP);
        assertThat(model.dmaRegions()).hasSize(1);
        assertThat(client.unmap(0x1000, 0, VfioUser.DMA_UNMAP_ALL)).isEqualTo(Errno.EINVAL);
    }

    @Test
    void structuresThatSayTheyAreShorterAreRefused() throws IOException {
        ByteBuffer map =
                TestClient.buffer(32).putInt(31).putInt(3).putLong(0).putLong(0).putLong(4096);
        assertThat(client.call(VfioUser.DMA_MAP, map).errno()).isEqualTo(Errno.EINVAL);
        assertThat(client.call(VfioUser.DMA_UNMAP, TestClient.buffer(24).putInt(23))
                        .errno())
                .isEqualTo(Errno.EINVAL);
        assertThat(client.call(VfioUser.DEVICE_SET_IRQS, TestClient.buffer(20).putInt(21))
                        .errno())
                .isEqualTo(Errno.EINVAL);
    }

    @Test
    void twoDescriptorsForOneMapAreRefusedAndNoneLeaks() throws IOException {
        long before = descriptors();
        for (int i = 0; i < 10; i++) {
            assertThat(client.map(0x10000, 0x1000, READ_WRITE, 0, file, file)).isEqualTo(Errno.EINVAL);
        }
        assertThat(descriptors()).isEqualTo(before);
    }

    @Test
    void aDescriptorThatComesWithAnUnmapIsClosed() throws IOException {
        assertThat(client.map(0x10000, 0x1000, READ_WRITE, 0, file)).isZero();
        long before = descriptors();
        ByteBuffer unmap =
                TestClient.buffer(24).putInt(24).putInt(0).putLong(0x10000).putLong(0x1000);
        assertThat(client.call(VfioUser.DMA_UNMAP, unmap, file).isError()).isFalse();
        // A mapping holds no descriptor.
        assertThat(descriptors()).isEqualTo(before);
    }

    private long descriptors() throws IOException {
        // A message's descriptors are closed after its reply, and before the next message.
        client.read(Vfio.VFIO_PCI_CONFIG_REGION_INDEX, 0, 2);
        return new File("/proc/self/fd").list().length;
    }

    @Test
    void whatCannotBeMappedIsRefused() throws IOException {
        try (EventFd event = EventFd.create()) {
            assertThat(client.map(0x10000, 0x1000, READ_WRITE, 0, event.fd())).isEqualTo(Errno.ENODEV);
        }
        assertThat(model.dmaRegions()).isEmpty();
    }

    @Test
    void aConnectedVectorIsSignalled() throws IOException {
        try (EventFd first = EventFd.create();
                EventFd second = EventFd.create()) {
            assertThat(client.setIrqs(CONNECT, MSIX, 1, 2, NO_DATA, first.fd(), second.fd()))
                    .isZero();
            assertThat(client.setIrqs(TRIGGER, MSIX, 1, 1, NO_DATA)).isZero();
            assertThat(first.await(TIMEOUT)).isEqualTo(1);
            assertThat(second.read()).isZero();
            assertThat(client.setIrqs(TRIGGER_SOME, MSIX, 1, 2, new byte[] {0, 1}))
                    .isZero();
            assertThat(second.await(TIMEOUT)).isEqualTo(1);
            assertThat(first.read()).isZero();
        }
    }

    @Test
    void vectorsAreDisconnectedOneByOneOrAllTogether() throws IOException {
        try (EventFd event = EventFd.create()) {
            client.setIrqs(CONNECT, MSIX, 0, 2, NO_DATA, event.fd(), event.fd());
            assertThat(client.setIrqs(CONNECT, MSIX, 0, 1, NO_DATA)).isZero();
            client.setIrqs(TRIGGER, MSIX, 0, 2, NO_DATA);
            assertThat(event.read()).isEqualTo(1);
            assertThat(client.setIrqs(TRIGGER, MSIX, 0, 0, NO_DATA)).isZero();
            client.setIrqs(TRIGGER, MSIX, 0, 2, NO_DATA);
            assertThat(event.read()).isZero();
        }
    }

    @Test
    void aVectorThatTheArrayGivesMinusOneIsLeftOut() throws IOException {
        try (EventFd event = EventFd.create()) {
            byte[] numbers = TestClient.buffer(8).putInt(-1).putInt(0).array();
            assertThat(client.setIrqs(CONNECT, MSIX, 0, 2, numbers, event.fd())).isZero();
            assertThat(model.lines().isConnected(0)).isFalse();
            assertThat(model.lines().isConnected(1)).isTrue();
        }
    }

    @ParameterizedTest
    @CsvSource({"2, 4, 1", "2, 0, 5", "2, 3, 2", "2, -1, 1", "2, 0, -1", "1, 0, 1", "5, 0, 1", "-1, 0, 1", "2, 1, 0"})
    void vectorsThatAreNotThereAreRefused(int index, int start, int count) throws IOException {
        assertThat(client.setIrqs(TRIGGER, index, start, count, NO_DATA)).isEqualTo(Errno.EINVAL);
    }

    @Test
    void contradictingFlagsAreRefused() throws IOException {
        assertThat(client.setIrqs(0, MSIX, 0, 1, NO_DATA)).isEqualTo(Errno.EINVAL);
        assertThat(client.setIrqs(0x3f, MSIX, 0, 1, NO_DATA)).isEqualTo(Errno.EINVAL);
        assertThat(client.setIrqs(TRIGGER | 0x40, MSIX, 0, 1, NO_DATA)).isEqualTo(Errno.EINVAL);
        assertThat(client.setIrqs(TRIGGER_SOME, MSIX, 0, 2, new byte[1])).isEqualTo(Errno.EINVAL);
        assertThat(client.setIrqs(TRIGGER_SOME, MSIX, 0, 2, new byte[3])).isEqualTo(Errno.EINVAL);
        assertThat(client.setIrqs(MASK, MSIX, 0, 0, NO_DATA)).isEqualTo(Errno.EINVAL);
        assertThat(client.setIrqs(CONNECT, MSIX, 0, 0, NO_DATA)).isEqualTo(Errno.EINVAL);
        for (int index : new int[] {Vfio.VFIO_PCI_ERR_IRQ_INDEX, Vfio.VFIO_PCI_REQ_IRQ_INDEX}) {
            assertThat(client.setIrqs(MASK, index, 0, 1, NO_DATA)).isEqualTo(Errno.EINVAL);
        }
    }

    @Test
    void eventfdsThatMaskAreRefusedSoThatKvmDoesWithout() throws IOException {
        try (EventFd event = EventFd.create()) {
            for (int action : new int[] {Vfio.VFIO_IRQ_SET_ACTION_MASK, Vfio.VFIO_IRQ_SET_ACTION_UNMASK}) {
                assertThat(client.setIrqs(Vfio.VFIO_IRQ_SET_DATA_EVENTFD | action, INTX, 0, 1, NO_DATA, event.fd()))
                        .isEqualTo(Errno.EOPNOTSUPP);
            }
            assertThat(client.setIrqs(TRIGGER, MSIX, 0, 1, NO_DATA, event.fd())).isEqualTo(Errno.EINVAL);
            assertThat(client.setIrqs(TRIGGER_SOME, MSIX, 0, 1, new byte[1], event.fd()))
                    .isEqualTo(Errno.EINVAL);
        }
    }

    @Test
    void errorAndRequestInterruptsAreConnectedAndTriggered() throws IOException {
        for (int index : new int[] {Vfio.VFIO_PCI_ERR_IRQ_INDEX, Vfio.VFIO_PCI_REQ_IRQ_INDEX}) {
            try (EventFd event = EventFd.create()) {
                assertThat(client.setIrqs(CONNECT, index, 0, 1, NO_DATA, event.fd()))
                        .isZero();
                assertThat(client.setIrqs(TRIGGER, index, 0, 1, NO_DATA)).isZero();
                assertThat(event.await(TIMEOUT)).isEqualTo(1);
            }
        }
    }

    @Test
    void whatIsNoEventfdIsRefused() throws IOException {
        assertThat(client.setIrqs(CONNECT, MSIX, 0, 1, NO_DATA, file)).isEqualTo(Errno.EINVAL);
    }

    @Test
    void fewerDescriptorsThanVectorsAreRefused() throws IOException {
        try (EventFd event = EventFd.create()) {
            assertThat(client.setIrqs(CONNECT, MSIX, 0, 2, NO_DATA, event.fd())).isEqualTo(Errno.EINVAL);
            assertThat(client.setIrqs(CONNECT, MSIX, 0, 1, NO_DATA, event.fd(), event.fd()))
                    .isEqualTo(Errno.EINVAL);
        }
    }

    @Test
    void aMaskedVectorFiresWhenItIsUnmasked() throws IOException {
        try (EventFd event = EventFd.create()) {
            InterruptLines lines = model.lines();
            client.setIrqs(CONNECT, MSIX, 0, 1, NO_DATA, event.fd());
            client.setIrqs(MASK, MSIX, 0, 1, NO_DATA);
            lines.raise(0);
            lines.raise(0);
            assertThat(event.read()).isZero();
            client.setIrqs(UNMASK, MSIX, 0, 1, NO_DATA);
            assertThat(event.await(TIMEOUT)).isEqualTo(1);
        }
    }

    @Test
    void intxMasksItselfAndFiresAgainWhileItIsAsserted() throws IOException {
        try (EventFd event = EventFd.create()) {
            InterruptLines lines = model.lines();
            client.setIrqs(CONNECT, INTX, 0, 1, NO_DATA, event.fd());
            lines.assertIntx(true);
            lines.assertIntx(true);
            assertThat(event.read()).isEqualTo(1);
            client.setIrqs(UNMASK, INTX, 0, 1, NO_DATA);
            assertThat(event.await(TIMEOUT)).isEqualTo(1);
            lines.assertIntx(false);
            client.setIrqs(UNMASK, INTX, 0, 1, NO_DATA);
            assertThat(event.read()).isZero();
        }
    }
}
