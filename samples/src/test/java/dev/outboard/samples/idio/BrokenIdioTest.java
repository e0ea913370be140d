package dev.outboard.samples.idio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.GpioEdges;
import dev.outboard.samples.BrokenFunction;
import dev.outboard.specs.idio.Idio16Registers;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What no model and no card does that works. */
@Timeout(60)
class BrokenIdioTest {
    private static BrokenFunction function() {
        return new BrokenFunction(Idio16Registers.VENDOR_ID, Idio16Registers.DEVICE_ID, Idio16Registers.BYTES);
    }

    @Test
    void anotherDeviceIsRefusedAndGivenBack() {
        BrokenFunction other = new BrokenFunction(Idio16Registers.VENDOR_ID, 0x0dc9, Idio16Registers.BYTES);
        assertThatThrownBy(() -> IdioCard.open(other)).hasMessageContaining("494f:0dc9, 494f:0dc8 is expected");
        assertThat(other.isClosed()).isTrue();
    }

    @Test
    void aCardWithTooFewPortsIsRefused() {
        BrokenFunction small = new BrokenFunction(Idio16Registers.VENDOR_ID, Idio16Registers.DEVICE_ID, 4);
        assertThatThrownBy(() -> IdioCard.open(small)).hasMessageContaining("has 4 bytes in BAR 2, not 8");
        assertThat(small.isClosed()).isTrue();
    }

    @Test
    void aCardThatIsGoneIsNoticed() throws IOException {
        BrokenFunction function = function();
        try (IdioCard card = IdioCard.open(function)) {
            function.gone();
            assertThatThrownBy(() -> card.get(1)).isInstanceOf(DeviceGoneException.class);
            assertThatThrownBy(() -> card.set(1, 1)).isInstanceOf(DeviceGoneException.class);
        }
        assertThat(function.isClosed()).isTrue();
    }

    @Test
    void aCardThatInterruptsForNothingExtendsNoWait() throws IOException {
        try (IdioCard card = IdioCard.open(function().interrupting(Long.MAX_VALUE));
                GpioEdges edges = card.watch(1L << 16)) {
            assertThat(edges.await(Duration.ofMillis(5))).isNull();
        }
    }

    @Test
    void aWatchThatIsClosedEndsTheWait() throws IOException {
        try (IdioCard card = IdioCard.open(function().interrupting(1))) {
            GpioEdges edges = card.watch(1L << 16);
            edges.close();
            assertThatThrownBy(() -> edges.await(Duration.ofSeconds(1))).hasMessageContaining("closed");
        }
    }
}
