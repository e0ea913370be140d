package dev.outboard.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class LinuxExceptionTest {
    @Test
    void aFailedCallTellsTheCallThePathAndTheError() {
        assertThatExceptionOfType(LinuxException.class)
                .isThrownBy(() -> Fd.open("/nowhere/at-all", Fd.O_RDONLY))
                .withMessage("open /nowhere/at-all: " + Errno.describe(Errno.ENOENT) + " (ENOENT)")
                .satisfies(e -> {
                    assertThat(e.call()).isEqualTo("open");
                    assertThat(e.subject()).isEqualTo("/nowhere/at-all");
                    assertThat(e.errno()).isEqualTo(Errno.ENOENT);
                });
    }

    @Test
    void adviceEndsTheMessageAndKeepsTheRest() {
        LinuxException failure = new LinuxException("ioctl VFIO_SET_IOMMU", "/dev/vfio/vfio", Errno.EPERM);
        LinuxException advised = failure.withAdvice("boot with intel_iommu=on");
        assertThat(advised).hasMessage(failure.getMessage() + "; boot with intel_iommu=on");
        assertThat(advised.errno()).isEqualTo(Errno.EPERM);
        assertThat(advised.call()).isEqualTo(failure.call());
        assertThat(advised.subject()).isEqualTo(failure.subject());
    }

    @Test
    void everyErrorNumberIsCalledByItsName() throws IllegalAccessException {
        List<Field> constants = Arrays.stream(Errno.class.getFields())
                .filter(field -> Modifier.isStatic(field.getModifiers()))
                .toList();
        assertThat(constants).isNotEmpty();
        for (Field constant : constants) {
            assertThat(Errno.name(constant.getInt(null))).isEqualTo(constant.getName());
            assertThat(Errno.describe(constant.getInt(null))).isNotBlank();
        }
        assertThat(Errno.name(4095)).isEqualTo("errno 4095");
        assertThat(Errno.describe(4095)).contains("4095");
    }
}
