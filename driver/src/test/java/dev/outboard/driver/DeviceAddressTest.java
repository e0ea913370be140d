package dev.outboard.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the parts of an address are. */
class DeviceAddressTest {
    @Test
    void optionsFollowAQuestionMark() {
        DeviceAddress address = DeviceAddress.parse("qemu:e1000e?mac=52:54:00:12:34:56&file=a?b=c&empty=");
        assertThat(address.path()).isEqualTo("qemu");
        assertThat(address.deviceName()).isEqualTo("e1000e");
        assertThat(address.options().sequencedEntrySet().toString())
                .isEqualTo("[mac=52:54:00:12:34:56, file=a?b=c, empty=]");
        assertThat(address).hasToString("qemu:e1000e?mac=52:54:00:12:34:56&file=a?b=c&empty=");
    }

    @Test
    void anAddressMayHaveNoOptions() {
        assertThat(DeviceAddress.parse("vfio:0000:03:00.0").deviceName()).isEqualTo("0000:03:00.0");
        assertThat(DeviceAddress.parse("vfio:0000:03:00.0").options()).isEmpty();
        assertThat(DeviceAddress.parse("model:nvme?").options()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"x:y?a", "x:y?=1", "x:y?a=1&&b=2", "x:y?a=1&a=2"})
    void optionsThatMakeNoSenseAreRefused(String text) {
        assertThatThrownBy(() -> DeviceAddress.parse(text).options()).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ":", "x", "x:", ":x"})
    void aPathAndADeviceAreNeeded(String text) {
        assertThatThrownBy(() -> DeviceAddress.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("is no device address");
    }

    @Test
    void whatIsMadeForWhoOpensItIsEmulated() {
        assertThat(DeviceAddress.parse("model:nvme").isEmulated()).isTrue();
        assertThat(DeviceAddress.parse("qemu:nvme").isEmulated()).isTrue();
        assertThat(DeviceAddress.parse("vfio-user:/model:").isEmulated()).isFalse();
    }
}
