package dev.outboard.emulation;

import static dev.outboard.emulation.TestClient.buffer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.emulation.TestClient.Reply;
import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.uapi.Vfio;
import dev.outboard.specs.vfiouser.VfioUser;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the server answers, and how clients follow each other. */
class VfioUserServerTest {
    private static final int CONFIG = Vfio.VFIO_PCI_CONFIG_REGION_INDEX;
    private static final int BAR = 0;
    private static final String CAPABILITIES = "{\"capabilities\":{\"max_msg_fds\":8,\"write_multiple\":true}}";

    @RegisterExtension
    final Served<RegisterModel> served = new Served<>(RegisterModel::new);

    @ParameterizedTest
    @CsvSource({"0,0", "1,1", "7,1"})
    void theMinorVersionIsNoNewerThanWhatTheClientProposed(int proposed, int answered) throws IOException {
        try (TestClient client = served.connect()) {
            Reply reply = client.negotiate(0, proposed, CAPABILITIES);
            assertThat(reply.isError()).isFalse();
            assertThat(reply.payload().getShort(0)).isZero();
            assertThat(reply.payload().getShort(2)).isEqualTo((short) answered);
            String json =
                    StandardCharsets.UTF_8.decode(reply.payload().position(4)).toString();
            assertThat(json)
                    .startsWith("{\"capabilities\":{")
                    .contains("\"max_msg_fds\":16", "\"max_data_xfer_size\":1048576", "\"write_multiple\":true")
                    .endsWith("}}\0");
        }
    }

    @Test
    void aClientMayLeaveItsCapabilitiesOut() throws IOException {
        try (TestClient client = served.connect()) {
            assertThat(client.call(
                                    VfioUser.VERSION,
                                    buffer(4).putShort((short) 0).putShort((short) 1))
                            .isError())
                    .isFalse();
        }
    }

    @Test
    void theDeviceIsAPciDeviceThatCanBeReset() throws IOException {
        try (TestClient client = served.negotiated()) {
            ByteBuffer info =
                    client.call(VfioUser.DEVICE_GET_INFO, buffer(16).putInt(16)).payload();
            assertThat(info.getInt(0)).isEqualTo(16);
            assertThat(info.getInt(4)).isEqualTo(Vfio.VFIO_DEVICE_FLAGS_RESET | Vfio.VFIO_DEVICE_FLAGS_PCI);
            assertThat(info.getInt(8)).isEqualTo(9);
            assertThat(info.getInt(12)).isEqualTo(5);
        }
    }

    private static ByteBuffer regionInfo(int argsz, int index) {
        return buffer(32).putInt(argsz).putInt(0).putInt(index);
    }

    @Test
    void aSharedRegionIsDescribedWithItsAreasAndItsDescriptor() throws IOException {
        try (TestClient client = served.negotiated()) {
            Reply reply = client.call(VfioUser.DEVICE_GET_REGION_INFO, regionInfo(64, RegisterModel.SHARED_BAR));
            ByteBuffer info = reply.payload();
            assertThat(info.remaining()).isEqualTo(64);
            assertThat(info.getInt(0)).isEqualTo(64);
            assertThat(info.getInt(4)).isEqualTo(0xf);
            assertThat(info.getInt(12)).as("cap_offset").isEqualTo(32);
            assertThat(info.getLong(16)).as("size").isEqualTo(RegisterModel.BAR_BYTES);
            assertThat(info.getShort(32)).isEqualTo((short) Vfio.VFIO_REGION_INFO_CAP_SPARSE_MMAP);
            assertThat(info.getInt(40)).as("nr_areas").isEqualTo(1);
            assertThat(info.getLong(48)).isEqualTo(0x1000);
            assertThat(info.getLong(56)).isEqualTo(0x1000);
            assertThat(reply.descriptors()).hasSize(1);
            reply.descriptors().forEach(Fd::close);
        }
    }

    @Test
    void aClientWithTooLittleRoomLearnsHowMuchIsNeeded() throws IOException {
        try (TestClient client = served.negotiated()) {
            Reply reply = client.call(VfioUser.DEVICE_GET_REGION_INFO, regionInfo(32, RegisterModel.SHARED_BAR));
            assertThat(reply.payload().remaining()).isEqualTo(32);
            assertThat(reply.payload().getInt(0)).isEqualTo(64);
            // With CAPS, QEMU would look for them.
            assertThat(reply.payload().getInt(4)).isEqualTo(7);
            assertThat(reply.descriptors()).isEmpty();
        }
    }

    @Test
    void anUnalignedAccessIsMadeOfAlignedOnes() throws IOException {
        try (TestClient client = served.negotiated()) {
            client.write(BAR, 0x11, 8, 0x8877665544332211L);
            assertThat(served.model().accesses())
                    .containsExactly("W11.1=11", "W12.2=3322", "W14.4=77665544", "W18.1=88");
            assertThat(client.read(BAR, 0x10, 8)).isEqualTo(0x7766554433221100L);
        }
    }

    @Test
    void severalWritesComeInOneMessage() throws IOException {
        try (TestClient client = served.negotiated()) {
            ByteBuffer two = buffer(8 + 2 * 24).putLong(2);
            two.putLong(0).putInt(BAR).putInt(4).putLong(0x11111111);
            two.putLong(8).putInt(BAR).putInt(8).putLong(0x2222222222222222L);
            assertThat(client.call(VfioUser.REGION_WRITE_MULTI, two).isError()).isFalse();
            assertThat(served.model().accesses()).containsExactly("W0.4=11111111", "W8.8=2222222222222222");
            ByteBuffer tooMany = buffer(8 + 24).putLong(Long.MAX_VALUE);
            assertThat(client.call(VfioUser.REGION_WRITE_MULTI, tooMany).errno())
                    .isEqualTo(Errno.EINVAL);
            // All or nothing.
            two.putInt(8 + 24 + 12, 9);
            assertThat(client.call(VfioUser.REGION_WRITE_MULTI, two).errno()).isEqualTo(Errno.EINVAL);
            assertThat(served.model().accesses()).hasSize(2);
        }
    }

    @Test
    void aCommandThatWantsNoReplyGetsNone() throws IOException {
        try (TestClient client = served.negotiated()) {
            ByteBuffer write = buffer(20).putLong(0).putInt(BAR).putInt(4).putInt(7);
            client.send(client.message(VfioUser.REGION_WRITE, VfioUser.FLAGS_NO_REPLY, write));
            client.send(client.message(999, VfioUser.FLAGS_NO_REPLY, buffer(0)));
            Reply next = client.readRegion(BAR, 0, 4);
            assertThat(next.command()).isEqualTo(VfioUser.REGION_READ);
            assertThat(next.payload().getInt(16)).isEqualTo(7);
        }
    }

    @Test
    void aMessageMayComeByteByByte() throws IOException {
        try (TestClient client = served.negotiated()) {
            ByteBuffer read = buffer(16).putLong(0).putInt(CONFIG).putInt(2);
            for (byte b : client.message(VfioUser.REGION_READ, 0, read)) {
                client.send(new byte[] {b});
            }
            assertThat(client.receive().payload().getShort(16)).isEqualTo((short) 0x1234);
        }
    }

    @Test
    void messagesMayComeAllAtOnce() throws IOException {
        try (TestClient client = served.negotiated()) {
            ByteBuffer read = buffer(16).putLong(0).putInt(CONFIG).putInt(2);
            byte[] one = client.message(VfioUser.REGION_READ, 0, read);
            client.send(buffer(3 * one.length).put(one).put(one).put(one).array());
            for (int i = 0; i < 3; i++) {
                assertThat(client.receive().payload().getShort(16)).isEqualTo((short) 0x1234);
            }
        }
    }

    @Test
    void theNextClientFindsADeviceThatWasReset() throws IOException {
        try (TestClient client = served.negotiated()) {
            client.write(CONFIG, 4, 2, 0x0406);
            client.write(BAR, 0, 4, 5);
            assertThat(client.read(CONFIG, 4, 2)).isEqualTo(0x0406);
        }
        try (TestClient client = served.negotiated()) {
            assertThat(client.read(CONFIG, 4, 2)).isZero();
            assertThat(client.read(BAR, 0, 4)).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{}",
                "{\"capabilities\":{}}",
                // libvfio-user's first versions, rust-vmm's crate until it nested them, QEMU.
                "{\"capabilities\":{\"max_fds\":8,\"max_msg_size\":65536}}",
                "{\"max_msg_fds\":1,\"max_data_xfer_size\":1048576,\"migration\":{\"pgsize\":4096}}",
                "{\"capabilities\": {\"max_data_xfer_size\": 1048576, \"max_msg_fds\": 16, \"max_dma_maps\": 65535,"
                        + " \"migration\": {\"max_bitmap_size\": 268435456, \"pgsize\": 4096}, \"pgsizes\": 4096,"
                        + " \"write_multiple\": true}}",
                "{\"capabilities\":{\"of_tomorrow\":[true,null,-1.5e3,{\"a\":\"\\\"\"}]}}"
            })
    void capabilitiesComeInManyShapes(String json) throws IOException {
        byte[] text = json.getBytes(StandardCharsets.UTF_8);
        for (int nuls = 0; nuls < 2; nuls++) {
            try (TestClient client = served.connect()) {
                ByteBuffer version = buffer(4 + text.length + nuls);
                version.putShort(2, (short) 1).put(4, text);
                Reply reply = client.call(VfioUser.VERSION, version);
                assertThat(reply.isError()).isFalse();
                // QEMU takes no reply that is longer than what it sent.
                assertThat(reply.payload().remaining()).isLessThan(200);
            }
        }
    }

    @Test
    void onlyWhatTheClientProposedIsOffered() throws IOException {
        try (TestClient client = served.connect()) {
            Reply reply = client.negotiate(0, 1, "{\"capabilities\":{\"max_msg_fds\":8}}");
            assertThat(StandardCharsets.UTF_8
                            .decode(reply.payload().position(4))
                            .toString())
                    .doesNotContain("write_multiple", "twin_socket", "migration");
            assertThat(reply.descriptors()).isEmpty();
        }
    }

    @Test
    void aClientThatTakesNoDescriptorsIsSentNone() throws IOException {
        try (TestClient client = served.connect()) {
            client.negotiate(0, 1, "{\"capabilities\":{\"max_msg_fds\":0,\"twin_socket\":{\"supported\":true}}}");
            Reply reply = client.call(VfioUser.DEVICE_GET_REGION_INFO, regionInfo(64, RegisterModel.SHARED_BAR));
            assertThat(reply.payload().getInt(4)).isEqualTo(3);
            assertThat(reply.payload().getInt(0)).isEqualTo(32);
            assertThat(reply.descriptors()).isEmpty();
        }
    }

    @Test
    void aClientThatAsksWithALongerStructureIsAnsweredWithOne() throws IOException {
        try (TestClient client = served.negotiated()) {
            ByteBuffer info =
                    client.call(VfioUser.DEVICE_GET_INFO, buffer(20).putInt(36)).payload();
            assertThat(info.remaining()).isEqualTo(20);
            assertThat(info.getInt(8)).isEqualTo(9);
            info = client.call(VfioUser.DEVICE_GET_INFO, buffer(16).putInt(36)).payload();
            assertThat(info.remaining()).isEqualTo(16);
            assertThat(client.call(VfioUser.DEVICE_GET_INFO, buffer(16).putInt(15))
                            .errno())
                    .isEqualTo(Errno.EINVAL);
        }
    }

    @Test
    void noRegionHasIoDescriptors() throws IOException {
        try (TestClient client = served.negotiated()) {
            ByteBuffer none = client.call(
                            VfioUser.DEVICE_GET_REGION_IO_FDS,
                            buffer(16).putInt(512).putInt(0).putInt(BAR))
                    .payload();
            assertThat(none.getInt(0)).as("argsz").isEqualTo(16);
            assertThat(none.getInt(12)).as("count").isZero();
            for (int[] wrong :
                    new int[][] {{15, 0, BAR, 0}, {16, 1, BAR, 0}, {16, 0, 5, 0}, {16, 0, 512, 0}, {16, 0, 0, 1}}) {
                ByteBuffer request = buffer(16);
                for (int word : wrong) {
                    request.putInt(word);
                }
                assertThat(client.call(VfioUser.DEVICE_GET_REGION_IO_FDS, request)
                                .errno())
                        .isEqualTo(Errno.EINVAL);
            }
        }
    }

    @Test
    void whoProbesForMigrationLearnsThatThereIsNone() throws IOException {
        try (TestClient client = served.negotiated()) {
            int probe = 1 << 18;
            int migration = 1;
            assertThat(client.call(VfioUser.DEVICE_FEATURE, buffer(8).putInt(8).putInt(probe | migration))
                            .errno())
                    .isEqualTo(Errno.ENOTTY);
            assertThat(client.call(VfioUser.DEVICE_FEATURE, buffer(4).putInt(8)).errno())
                    .isEqualTo(Errno.EINVAL);
            for (int command : new int[] {VfioUser.MIG_DATA_READ, VfioUser.MIG_DATA_WRITE, VfioUser.DIRTY_PAGES}) {
                assertThat(client.call(command, buffer(16).putInt(16)).errno()).isEqualTo(Errno.EOPNOTSUPP);
            }
        }
    }

    @Test
    void allOfConfigurationSpaceIsReadAtOnce() throws IOException {
        try (TestClient client = served.negotiated()) {
            ByteBuffer all = client.readRegion(CONFIG, 0, 4096).payload();
            assertThat(all.remaining()).isEqualTo(16 + 4096);
            assertThat(all.getShort(16)).isEqualTo((short) 0x1234);
            ByteBuffer none = client.readRegion(CONFIG, 4096, 0).payload();
            assertThat(none.remaining()).isEqualTo(16);
        }
    }

    @Test
    void aResetMessageResetsTheFunction() throws IOException {
        try (TestClient client = served.negotiated()) {
            client.write(CONFIG, 4, 2, 4);
            client.write(BAR, 0, 4, 5);
            assertThat(client.call(VfioUser.DEVICE_RESET, buffer(0)).isError()).isFalse();
            assertThat(client.read(CONFIG, 4, 2)).isZero();
            assertThat(client.read(BAR, 0, 4)).isZero();
        }
    }

    @Test
    void aSecondClientWaitsUntilTheFirstIsGone() throws IOException {
        try (TestClient second = twoClients()) {
            assertThat(second.negotiate(0, 1, CAPABILITIES).isError()).isFalse();
        }
    }

    private TestClient twoClients() throws IOException {
        try (TestClient first = served.negotiated()) {
            TestClient second = served.connect();
            assertThat(first.read(CONFIG, 0, 2)).isEqualTo(0x1234);
            return second;
        }
    }

    @Test
    void closingDisconnectsTheClientAndRemovesTheSocket() throws IOException {
        try (TestClient client = served.negotiated()) {
            served.server().close();
            client.awaitDisconnect();
            assertThat(Files.exists(served.server().path())).isFalse();
            assertThatThrownBy(() -> served.connect()).hasMessageContaining("ENOENT");
            served.server().close();
        }
    }
}
