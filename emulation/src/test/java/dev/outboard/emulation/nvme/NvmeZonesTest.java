package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.emulation.nvme.NvmeOptions.ZoneLimits;
import dev.outboard.emulation.nvme.TestDriver.Command;
import dev.outboard.emulation.nvme.TestDriver.Done;
import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.Zone;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** Zoned namespaces. */
class NvmeZonesTest extends NvmeTestBase {
    private static final int ZONE = 64;
    private static final int ZONES = 16;
    private static final int SELECT_ALL = 1 << 8;
    private static final int PARTIAL = 1 << 16;

    @Override
    NvmeOptions options() {
        return NvmeOptions.DEFAULT
                .withSizeBytes((long) ZONES * ZONE * BLOCK)
                .withZones(new ZoneLimits(ZONE * BLOCK, 3, 5));
    }

    private static Command send(int action, int zone) {
        return new Command(Opcode.ZONE_MANAGEMENT_SEND).namespace(1).prp1(DATA).dwords(zone * ZONE, 0, 0, action);
    }

    private static Command append(int zone, int blocks) {
        return new Command(Opcode.ZONE_APPEND)
                .blocks((long) zone * ZONE, blocks)
                .prp1(DATA);
    }

    private static Command write(int zone, int block, int blocks) {
        return TestDriver.write((long) zone * ZONE + block, blocks).prp1(DATA).prp2(DATA + PAGE);
    }

    /** Reports zones to {@link #OTHER}; returns how many it says there are. */
    private long report(int firstZone, int select, int flags, int bytes) throws IOException {
        Command receive =
                new Command(Opcode.ZONE_MANAGEMENT_RECEIVE).namespace(1).prp1(OTHER);
        receive.dwords(firstZone * ZONE, 0, bytes / 4 - 1, select << 8 | flags);
        assertThat(status(receive)).isZero();
        return word(OTHER);
    }

    private StructView zone(int zone) throws IOException {
        report(zone, 0, 0, 128);
        return Zone.DESCRIPTOR.view(driver.at(OTHER + 64, 64));
    }

    private int state(int zone) throws IOException {
        return (int) Zone.STATE.get(zone(zone).get("zs"));
    }

    @Test
    void aZoneIsWrittenInOrder() throws IOException {
        assertThat(state(2)).isEqualTo(Zone.EMPTY);
        assertThat(status(write(2, 0, 4))).isZero();
        assertThat(state(2)).isEqualTo(Zone.IMPLICITLY_OPENED);
        assertThat(zone(2).get("wp")).isEqualTo(2 * ZONE + 4);
        assertThat(status(write(2, 0, 1))).isEqualTo(Status.ZONE_INVALID_WRITE);
        assertThat(status(write(2, 5, 1))).isEqualTo(Status.ZONE_INVALID_WRITE);
        for (int block = 4; block < ZONE; block += 4) {
            assertThat(status(write(2, block, 4))).isZero();
        }
        assertThat(state(2)).isEqualTo(Zone.FULL);
        assertThat(zone(2).get("wp")).isEqualTo(-1);
        assertThat(status(write(2, 0, 1))).isEqualTo(Status.ZONE_IS_FULL);
        assertThat(status(write(3, 60, 8))).isEqualTo(Status.ZONE_BOUNDARY_ERROR);
        assertThat(status(TestDriver.read(3 * ZONE - 4, 8).prp1(DATA)))
                .as("reads may cross zones")
                .isZero();
    }

    @Test
    void anAppendSaysWhereItWent() throws IOException {
        random(DATA, 4 * BLOCK, 1);
        assertThat(status(append(1, 4))).isZero();
        Done second = driver.execute(io, append(1, 2));
        assertThat(second.result64()).isEqualTo(ZONE + 4);
        assertThat(status(TestDriver.read(ZONE, 4).prp1(OTHER))).isZero();
        assertThat(bytes(OTHER, 4 * BLOCK)).isEqualTo(bytes(DATA, 4 * BLOCK));
        assertThat(status(new Command(Opcode.ZONE_APPEND).blocks(ZONE + 1, 1).prp1(DATA)))
                .isEqualTo(Status.INVALID_FIELD);
        assertThat(status(append(1, ZONE))).isEqualTo(Status.ZONE_BOUNDARY_ERROR);
    }

    @Test
    void zonesChangeTheirStates() throws IOException {
        assertThat(status(send(Zone.OPEN, 0))).isZero();
        assertThat(state(0)).isEqualTo(Zone.EXPLICITLY_OPENED);
        assertThat(status(send(Zone.CLOSE, 0))).isZero();
        assertThat(state(0)).isEqualTo(Zone.CLOSED);
        assertThat(status(send(Zone.CLOSE, 0))).isZero();
        assertThat(status(send(Zone.CLOSE, 1))).isEqualTo(Status.INVALID_ZONE_STATE_TRANSITION);
        assertThat(status(write(0, 0, 1))).isZero();
        assertThat(state(0)).isEqualTo(Zone.IMPLICITLY_OPENED);
        assertThat(status(send(Zone.FINISH, 0))).isZero();
        assertThat(state(0)).isEqualTo(Zone.FULL);
        assertThat(status(send(Zone.OPEN, 0))).isEqualTo(Status.INVALID_ZONE_STATE_TRANSITION);
        assertThat(status(send(Zone.FINISH, 0))).isZero();
        random(DATA, BLOCK, 1);
        assertThat(status(send(Zone.RESET, 0))).isZero();
        assertThat(state(0)).isEqualTo(Zone.EMPTY);
        assertThat(status(write(0, 0, 1))).isZero();
        assertThat(status(send(Zone.RESET, 0))).isZero();
        assertThat(status(TestDriver.read(0, 1).prp1(OTHER))).isZero();
        assertThat(bytes(OTHER, BLOCK)).containsOnly(0);
        assertThat(status(send(Zone.OFFLINE, 0))).isEqualTo(Status.INVALID_ZONE_STATE_TRANSITION);
        assertThat(status(send(0x42, 0))).isEqualTo(Status.INVALID_FIELD);
        assertThat(status(send(Zone.OPEN, ZONES))).isEqualTo(Status.LBA_OUT_OF_RANGE);
        assertThat(status(send(Zone.OPEN, 0).dword(10, 1))).isEqualTo(Status.INVALID_FIELD);
    }

    @Test
    void wornZonesAreReadUntilTheyAreTakenOffline() {
        Zones zones = new Zones(new ZoneLimits(ZONE * BLOCK, 0, 0), ZONES * ZONE, 9);
        zones.makeReadOnly(4);
        assertThat(zones.prepareWrite(4 * ZONE, 1)).isEqualTo(Status.ZONE_IS_READ_ONLY);
        assertThat(zones.reset(4)).isEqualTo(Status.INVALID_ZONE_STATE_TRANSITION);
        assertThat(zones.checkRead(4 * ZONE, 1)).isZero();
        assertThat(zones.takeOffline(4)).isZero();
        assertThat(zones.checkRead(3 * ZONE, 2 * ZONE)).isEqualTo(Status.ZONE_IS_OFFLINE);
        assertThat(zones.prepareAppend(4, 1)).isEqualTo(Status.ZONE_IS_OFFLINE);
        assertThat(zones.finish(4)).isEqualTo(Status.INVALID_ZONE_STATE_TRANSITION);
    }

    @Test
    void openZonesAreLimited() throws IOException {
        for (int zone = 0; zone < 3; zone++) {
            assertThat(status(send(Zone.OPEN, zone))).isZero();
        }
        assertThat(status(send(Zone.OPEN, 3))).isEqualTo(Status.TOO_MANY_OPEN_ZONES);
        assertThat(status(append(3, 1))).isEqualTo(Status.TOO_MANY_OPEN_ZONES);
        assertThat(status(send(Zone.CLOSE, 0))).isZero();
        assertThat(status(append(3, 1))).isZero();
        assertThat(status(append(4, 1)))
                .as("what was opened by a write is closed for another")
                .isZero();
        assertThat(state(3)).isEqualTo(Zone.CLOSED);
        assertThat(status(append(5, 1))).isEqualTo(Status.TOO_MANY_ACTIVE_ZONES);
        Done refused = driver.execute(io, send(Zone.OPEN, 5));
        assertThat(Status.code(refused.status())).isEqualTo(Status.TOO_MANY_ACTIVE_ZONES);
        assertThat(Status.DNR.isSet(refused.status())).isFalse();
        assertThat(status(send(Zone.FINISH, 0))).isZero();
        assertThat(status(append(5, 1))).isZero();
    }

    @Test
    void allZonesAreChangedTogether() throws IOException {
        assertThat(status(append(0, 1))).isZero();
        assertThat(status(send(Zone.OPEN, 1))).isZero();
        assertThat(status(send(Zone.FINISH, 2))).isZero();
        assertThat(status(send(Zone.CLOSE | SELECT_ALL, 0))).isZero();
        assertThat(report(0, 4, 0, 4096)).isEqualTo(2);
        assertThat(status(send(Zone.FINISH | SELECT_ALL, 0))).isZero();
        assertThat(report(0, 5, 0, 4096)).isEqualTo(3);
        assertThat(status(send(Zone.RESET | SELECT_ALL, 0))).isZero();
        assertThat(report(0, 1, 0, 4096)).isEqualTo(ZONES);
    }

    @Test
    void reportsCountWhatMatchesOrWhatFits() throws IOException {
        assertThat(report(0, 0, 0, 64 + 3 * 64)).isEqualTo(ZONES);
        assertThat(report(0, 0, PARTIAL, 64 + 3 * 64)).isEqualTo(3);
        assertThat(report(ZONES - 2, 0, 0, 4096)).isEqualTo(2);
        assertThat(driver.at(OTHER + 64 + 16, 8).get(JAVA_LONG, 0)).isEqualTo((ZONES - 2) * ZONE);
        Command receive =
                new Command(Opcode.ZONE_MANAGEMENT_RECEIVE).namespace(1).prp1(OTHER);
        assertThat(status(receive.dwords(0, 0, 3, 2))).isEqualTo(Status.INVALID_FIELD);
        assertThat(status(receive.dwords(0, 0, 3, 8 << 8))).isEqualTo(Status.INVALID_FIELD);
        assertThat(status(receive.dwords(ZONES * ZONE, 0, 3, 0))).isEqualTo(Status.LBA_OUT_OF_RANGE);
        assertThat(status(receive.dwords(0, 0, -1, 0))).isEqualTo(Status.INVALID_FIELD);
    }

    @Test
    void descriptorsHaveExtensions() throws IOException {
        random(DATA, 64, 1);
        assertThat(status(send(Zone.SET_EXTENSION, 6))).isZero();
        assertThat(state(6)).isEqualTo(Zone.CLOSED);
        assertThat(zone(6).get("za")).isEqualTo(Zone.ATTRIBUTE_EXTENSION_VALID);
        assertThat(report(6, 4, Zone.EXTENDED_REPORT, 4096)).isEqualTo(1);
        assertThat(bytes(OTHER + 128, 64)).isEqualTo(bytes(DATA, 64));
        assertThat(status(send(Zone.SET_EXTENSION, 6))).isEqualTo(Status.INVALID_ZONE_STATE_TRANSITION);
        assertThat(status(send(Zone.RESET, 6))).isZero();
        assertThat(zone(6).get("za")).isZero();
    }

    @Test
    void otherCommandsKeepTheOrderToo() throws IOException {
        assertThat(status(new Command(Opcode.WRITE_ZEROES).blocks(ZONE, 4))).isZero();
        assertThat(status(new Command(Opcode.WRITE_ZEROES).blocks(ZONE, 4))).isEqualTo(Status.ZONE_INVALID_WRITE);
        assertThat(status(new Command(Opcode.WRITE_UNCORRECTABLE).blocks(ZONE + 4, 4)))
                .isZero();
        driver.at(DATA, 32).fill((byte) 0);
        word(DATA + 8, ZONE);
        word(DATA + 16, 1);
        assertThat(status(new Command(Opcode.COPY).namespace(1).prp1(DATA).dwords(ZONE + 8)))
                .isZero();
        assertThat(zone(1).get("wp")).isEqualTo(ZONE + 10);
    }

    @Test
    void identifySaysWhatTheZonesAre() throws IOException {
        assertThat(adminStatus(identify(Identify.CNS_COMMAND_SET_NAMESPACE, 1).dword(11, 2 << 24)))
                .isZero();
        StructView zoned = Zone.NAMESPACE.view(driver.at(DATA, PAGE));
        assertThat(zoned.get("mar")).isEqualTo(4);
        assertThat(zoned.get("mor")).isEqualTo(2);
        assertThat(zoned.slice("lbafe").get(JAVA_LONG, 0)).isEqualTo(ZONE);
        assertThat(adminStatus(identify(Identify.CNS_NAMESPACE_DESCRIPTORS, 1))).isZero();
        assertThat(driver.at(DATA + 20, 4).get(JAVA_INT, 0)).isEqualTo(0x104);
        assertThat(bytes(DATA + 24, 1)).containsExactly(Identify.ZONED_COMMAND_SET);
        assertThat(adminStatus(identify(Identify.CNS_COMMAND_SETS, 0))).isZero();
        assertThat(word(DATA)).isEqualTo(5);
    }

    @Test
    void aHostThatKnowsNoZonesSeesNoZonedNamespace() throws IOException {
        driver.disable();
        admin = driver.enable();
        io = driver.createPair(admin, 1, 1);
        assertThat(adminStatus(identify(Identify.CNS_ACTIVE_NAMESPACES, 0))).isZero();
        assertThat(word(DATA)).isZero();
        assertThat(status(TestDriver.read(0, 1).prp1(DATA))).isEqualTo(Status.INVALID_FIELD);
    }
}
