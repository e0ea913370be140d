package dev.outboard.emulation;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.outboard.linux.uapi.Vfio;
import dev.outboard.specs.pci.PciConfiguration;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * What a driver may write to configuration space, found by a fuzzer. Without {@code JAZZER_FUZZ=1} it is an ordinary test,
 * of the inputs in the resources.
 */
class ConfigurationSpaceFuzzTest {
    private static final int CONFIG = Vfio.VFIO_PCI_CONFIG_REGION_INDEX;
    private static final int WRITE_BYTES = 12;

    /** Each 12 bytes are a write: a width, an offset, a value. What a driver may not change stays. */
    @FuzzTest(maxDuration = "5s")
    void configurationSpaceKeepsWhatIsReadOnly(byte[] input) throws ErrorReply {
        MemorySegment writes = MemorySegment.ofArray(input);
        try (RegisterModel model = new RegisterModel()) {
            Regions regions = new Regions(model);
            byte[] before = all(regions);
            for (long at = 0; at + WRITE_BYTES <= writes.byteSize(); at += WRITE_BYTES) {
                int offset = Short.toUnsignedInt(writes.get(ValueLayout.JAVA_SHORT_UNALIGNED, at + 2));
                int count = writes.get(ValueLayout.JAVA_BYTE, at) & 0xf;
                try {
                    regions.check(CONFIG, offset, count, 8);
                    regions.write(CONFIG, offset, writes.asSlice(at + 4, count));
                } catch (ErrorReply | IndexOutOfBoundsException outside) {
                    assertThat(offset + count > PciConfiguration.EXPRESS_SIZE_BYTES || count > 8)
                            .isTrue();
                }
            }
            byte[] after = all(regions);
            // Ids, class, the capabilities' pointer.
            for (int[] range : new int[][] {{0, 4}, {8, 12}, {0x2c, 0x30}, {0x34, 0x3c}}) {
                assertThat(Arrays.copyOfRange(after, range[0], range[1]))
                        .isEqualTo(Arrays.copyOfRange(before, range[0], range[1]));
            }
        }
    }

    private static byte[] all(Regions regions) throws ErrorReply {
        byte[] bytes = new byte[PciConfiguration.EXPRESS_SIZE_BYTES];
        regions.read(CONFIG, 0, MemorySegment.ofArray(bytes));
        return bytes;
    }
}
