package dev.outboard.emulation.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.emulation.PciModel;
import dev.outboard.emulation.VfioUserServer;
import dev.outboard.specs.virtio.VirtioFeature;
import dev.outboard.specs.virtio.VirtioNet;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The network card, driven queue by queue. */
class VirtioNetModelTest {
    private static final byte[] OTHER = {2, 0, 0, 0, 0, 9};
    private static final byte[] OWN = {2, 0, 0, 0, 0, 1};

    @TempDir
    Path directory;

    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable each : open.reversed()) {
            each.close();
        }
    }

    private NetDriver card(NetworkLink link, VirtioNetOptions options, long withheld, int bufferBytes)
            throws IOException {
        PciModel model = new VirtioPciModel(new VirtioNetModel(options, link));
        open.add(model);
        VfioUserServer server = VfioUserServer.start(model, directory.resolve("net" + open.size()));
        open.add(server);
        NetDriver driver = new NetDriver("vfio-user:" + server.path(), withheld, bufferBytes);
        open.add(driver);
        return driver;
    }

    private NetDriver loopback(long withheld, int bufferBytes) throws IOException {
        return card(RingLink.loopback(), VirtioNetOptions.DEFAULT, withheld, bufferBytes);
    }

    private static byte[] frame(byte[] destination, int length) {
        byte[] frame = new byte[length];
        new Random(length).nextBytes(frame);
        System.arraycopy(destination, 0, frame, 0, destination.length);
        frame[12] = 8;
        frame[13] = 0;
        return frame;
    }

    @ParameterizedTest
    @ValueSource(longs = {0, VirtioFeature.RING_PACKED, VirtioFeature.EVENT_IDX | VirtioFeature.INDIRECT_DESC})
    void whatIsSentComesBack(long withheld) throws IOException {
        NetDriver driver = loopback(withheld, 2048);
        for (int i = 0; i < 1000; i++) {
            byte[] frame = frame(OTHER, 14 + i % 1500);
            driver.send(frame);
            assertThat(driver.receive()).isEqualTo(frame);
        }
    }

    @Test
    void aCardSaysWhatItIs() throws IOException {
        NetDriver driver = loopback(0, 2048);
        assertThat(driver.function.read(VirtioNet.MAC.at(5))).isEqualTo(1);
        assertThat(driver.function.read(VirtioNet.MTU)).isEqualTo(1500);
        assertThat(VirtioNet.STATUS_LINK_UP.isSet(driver.function.read(VirtioNet.STATUS)))
                .isTrue();
    }

    @Test
    void aFrameTakesAsManyBuffersAsItNeeds() throws IOException {
        NetDriver driver = loopback(0, 200);
        byte[] frame = frame(OTHER, 1500);
        driver.send(frame);
        assertThat(driver.receive()).isEqualTo(frame);
        assertThat(driver.lastBuffers).isEqualTo(8);
        driver.send(frame(OTHER, 100));
        assertThat(driver.receive()).hasSize(100);
        assertThat(driver.lastBuffers).isEqualTo(1);
    }

    @Test
    void withoutMergingAFrameThatIsLongerThanABufferIsLost() throws IOException {
        NetDriver driver = loopback(VirtioNet.FEATURE_MRG_RXBUF, 200);
        driver.send(frame(OTHER, 1500));
        driver.send(frame(OTHER, 150));
        assertThat(driver.receive()).hasSize(150);
    }

    @Test
    void framesThatAreTooLongOrTooShortAreLost() throws IOException {
        NetDriver driver = loopback(0, 2048);
        driver.send(frame(OTHER, 1519));
        driver.send(new byte[13]);
        driver.send(frame(OTHER, 1518));
        assertThat(driver.receive()).hasSize(1518);
    }

    @Test
    void whoIsNotPromiscuousReceivesWhatIsHis() throws IOException {
        NetDriver driver = loopback(0, 2048);
        assertThat(driver.command(VirtioNet.CLASS_RX, VirtioNet.RX_PROMISCUOUS, new byte[] {0}))
                .isEqualTo(VirtioNet.ACK_OK);
        driver.send(frame(OTHER, 60));
        driver.send(frame(OWN, 61));
        assertThat(driver.receive()).hasSize(61);
        driver.send(frame(new byte[] {-1, -1, -1, -1, -1, -1}, 62));
        assertThat(driver.receive()).hasSize(62);

        byte[] group = {3, 0, 0, 0, 0, 7};
        driver.send(frame(group, 63));
        byte[] tables = {0, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0, 7};
        assertThat(driver.command(VirtioNet.CLASS_MAC, VirtioNet.MAC_TABLE_SET, tables))
                .isEqualTo(VirtioNet.ACK_OK);
        driver.send(frame(group, 64));
        assertThat(driver.receive()).hasSize(64);

        assertThat(driver.command(VirtioNet.CLASS_MAC, VirtioNet.MAC_ADDRESS_SET, OTHER))
                .isEqualTo(VirtioNet.ACK_OK);
        driver.send(frame(OWN, 65));
        driver.send(frame(OTHER, 66));
        assertThat(driver.receive()).hasSize(66);
        assertThat(driver.function.read(VirtioNet.MAC.at(5))).isEqualTo(9);
    }

    @Test
    void aVlanIsReceivedOnceItIsAskedFor() throws IOException {
        NetDriver driver = loopback(0, 2048);
        byte[] tagged = frame(OTHER, 70);
        tagged[12] = (byte) 0x81;
        tagged[14] = 0;
        tagged[15] = 5;
        driver.send(tagged);
        driver.send(frame(OTHER, 71));
        assertThat(driver.receive()).hasSize(71);
        assertThat(driver.command(VirtioNet.CLASS_VLAN, VirtioNet.VLAN_ADD, new byte[] {5, 0}))
                .isEqualTo(VirtioNet.ACK_OK);
        driver.send(tagged);
        assertThat(driver.receive()).isEqualTo(tagged);
    }

    @Test
    void commandsThatCannotBeAreRefused() throws IOException {
        NetDriver driver = loopback(0, 2048);
        assertThat(driver.command(99, 0, new byte[] {0})).isEqualTo(VirtioNet.ACK_ERROR);
        assertThat(driver.command(VirtioNet.CLASS_RX, 99, new byte[] {0})).isEqualTo(VirtioNet.ACK_ERROR);
        assertThat(driver.command(VirtioNet.CLASS_RX, 0, new byte[] {0, 0})).isEqualTo(VirtioNet.ACK_ERROR);
        assertThat(driver.command(VirtioNet.CLASS_MAC, VirtioNet.MAC_TABLE_SET, new byte[] {-1, -1, -1, -1}))
                .isEqualTo(VirtioNet.ACK_ERROR);
        assertThat(driver.command(VirtioNet.CLASS_VLAN, VirtioNet.VLAN_ADD, new byte[] {0, 16}))
                .isEqualTo(VirtioNet.ACK_ERROR);
        assertThat(driver.command(VirtioNet.CLASS_MQ, VirtioNet.MQ_PAIRS_SET, new byte[] {2, 0}))
                .isEqualTo(VirtioNet.ACK_ERROR);
    }

    @Test
    void twoCardsAreJoinedByACable() throws IOException {
        List<NetworkLink> cable = RingLink.cable();
        NetDriver first = card(cable.getFirst(), VirtioNetOptions.DEFAULT, 0, 2048);
        NetDriver second = card(cable.getLast(), VirtioNetOptions.DEFAULT, 0, 2048);
        for (int i = 0; i < 100; i++) {
            first.send(frame(OTHER, 60 + i));
            assertThat(second.receive()).isEqualTo(frame(OTHER, 60 + i));
            second.send(frame(OWN, 200 + i));
            assertThat(first.receive()).isEqualTo(frame(OWN, 200 + i));
        }
    }
}
