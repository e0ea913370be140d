package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceException;
import dev.outboard.specs.nvme.Guard;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.ProtectionInformation;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Collections;
import org.junit.jupiter.api.Test;

/** What controllers say of extended LBA formats, and of those that do not know them. */
class ExtendedFormatsTest {
    private FakeController fake = new FakeController();
    private int protectionType = 1;
    private int capabilities;
    private int present;
    private int other;

    private NvmeController open() throws IOException {
        fake = new FakeController();
        fake.identity.put("ctratt", Identify.CTRATT_EXTENDED_FORMATS.mask());
        fake.answer = (opcode, cns, data) -> {
            if (opcode == Opcode.IDENTIFY && cns == Identify.CNS_NAMESPACE) {
                Identify.NAMESPACE.view(data).set("dps", protectionType).set("nlbaf", 1);
                int format = 9 << 16 | 16;
                data.set(ValueLayout.JAVA_INT, Identify.NAMESPACE.offset("lbaf"), format);
                data.set(ValueLayout.JAVA_INT, Identify.NAMESPACE.offset("lbaf") + Integer.BYTES, format);
            } else if (opcode == Opcode.IDENTIFY && cns == Identify.CNS_COMMAND_SET_NAMESPACE) {
                MemorySegment formats = Identify.NVM_NAMESPACE
                        .view(data)
                        .set("lbstm", -1)
                        .set("pic", capabilities)
                        .slice("elbaf");
                formats.set(ValueLayout.JAVA_INT_UNALIGNED, 0, present);
                formats.set(ValueLayout.JAVA_INT_UNALIGNED, Integer.BYTES, other);
            }
            return 0;
        };
        return Nvme.open(fake);
    }

    private static int format(int pif, int storageTagBits, int qpif) {
        return (int) (Identify.EXTENDED_LBA_FORMAT_PIF.of(pif)
                | Identify.EXTENDED_LBA_FORMAT_STS.of(storageTagBits)
                | Identify.EXTENDED_LBA_FORMAT_QPIF.of(qpif));
    }

    @Test
    void aControllerThatDoesNotKnowThemIsNotAsked() throws IOException {
        try (NvmeController controller = Nvme.open(fake)) {
            assertThat(Collections.frequency(fake.log, "set features"))
                    .as("the number of queues")
                    .isEqualTo(1);
            assertThat(controller.namespace(1).protection()).isEqualTo(ProtectionInformation.STANDARD);
            assertThat(controller.namespace(1).storageTagMask()).isZero();
        }
    }

    @Test
    void oneThatKnowsThemIsToldThatTheHostDoesAfterEachReset() throws IOException {
        present = format(2, 8, 0);
        try (NvmeController controller = open()) {
            assertThat(Collections.frequency(fake.log, "set features")).isEqualTo(2);
            NvmeNamespace namespace = controller.namespace(1);
            assertThat(namespace.protection()).isEqualTo(new ProtectionInformation(Guard.BITS_64, 8));
            assertThat(namespace.storageTagMask()).isEqualTo(0xff);
            controller.reset();
            assertThat(Collections.frequency(fake.log, "set features")).isEqualTo(4);
        }
    }

    @Test
    void qualifiedFormatsAreThoseThatTheySay() throws IOException {
        present = format(3, 0, 2);
        capabilities = (int) Identify.PIC_QUALIFIED.mask();
        try (NvmeController controller = open()) {
            assertThat(controller.namespace(1).protection().guard()).isEqualTo(Guard.BITS_64);
        }
    }

    @Test
    void protectionThatIsNotKnownIsRefused() {
        for (int unknown : new int[] {format(3, 0, 2), format(1, 0, 0), format(2, 49, 0), format(0, 33, 0)}) {
            present = unknown;
            assertThatThrownBy(this::open)
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("namespace 1 has protection information of the extended format 0x")
                    .hasMessageContaining("format it otherwise");
        }
    }

    @Test
    void formatsThatAreNotKnownAreLeftOut() throws IOException {
        other = format(3, 0, 0);
        try (NvmeController controller = open()) {
            assertThat(controller.namespace(1).formats())
                    .extracting(NvmeNamespace.Format::index)
                    .containsExactly(0);
        }
        present = other;
        protectionType = 0;
        try (NvmeController controller = open()) {
            assertThat(controller.namespace(1).protection())
                    .as("nothing is protected by what is not known")
                    .isEqualTo(ProtectionInformation.STANDARD);
        }
    }
}
