package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceException;
import dev.outboard.emulation.nvme.NvmeOptions;
import dev.outboard.specs.nvme.Feature;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A controller that stops when it does not hear of its host. */
class KeepAliveTest {
    private static final Duration SHORT = Duration.ofSeconds(1);

    @RegisterExtension
    static final ServedModel MODEL = new ServedModel(NvmeOptions.DEFAULT.withSizeBytes(1 << 20));

    private final FakeController fake = new FakeController();

    private static long await(FakeController fake, long count) {
        while (beats(fake) < count) {
            Thread.onSpinWait();
        }
        return beats(fake);
    }

    private static long beats(FakeController fake) {
        return fake.log.stream().filter("keep alive"::equals).count();
    }

    @Test
    void theTimerIsSetAndAnsweredAgainAndAgain() throws IOException {
        fake.identity.put("kas", 1L);
        try (NvmeController controller = Nvme.open(fake, NvmeSettings.DEFAULT.withKeepAlive(Duration.ofMillis(300)))) {
            assertThat(fake.settings).contains(300);
            long before = await(fake, 2);
            fake.settings.clear();
            controller.reset();
            assertThat(fake.settings).as("a reset stops it").contains(300);
            await(fake, before + 2);
        }
    }

    @Test
    void theThreadEndsWithTheController() throws Exception {
        fake.identity.put("kas", 1L);
        NvmeController controller = Nvme.open(fake, NvmeSettings.DEFAULT.withKeepAlive(SHORT));
        Thread thread = Thread.getAllStackTraces().keySet().stream()
                .filter(each -> each.getName().equals("keep alive of fake:nvme"))
                .findFirst()
                .orElseThrow();
        controller.close();
        thread.join(Duration.ofSeconds(30));
        assertThat(thread.isAlive()).isFalse();
    }

    @Test
    void aControllerWithoutATimerIsRefused() {
        assertThatThrownBy(() -> Nvme.open(fake, NvmeSettings.DEFAULT.withKeepAlive(SHORT)))
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("fake:nvme has no keep alive timer (KAS is 0); open it without");
    }

    @Test
    void timesThatNoControllerCountsAreRefused() {
        for (Duration wrong : new Duration[] {Duration.ofMillis(99), Duration.ofDays(2), Duration.ofSeconds(-1)}) {
            assertThatThrownBy(() -> NvmeSettings.DEFAULT.withKeepAlive(wrong))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("zero is for ever");
        }
    }

    @Test
    void theModelGoesOnWhileTheDriverIsThereAndStopsWhenItIsNot() throws IOException {
        try (NvmeController controller = Nvme.open(MODEL.address(), NvmeSettings.DEFAULT.withKeepAlive(SHORT))) {
            assertThat(controller.admin().features().get(Feature.KEEP_ALIVE_TIMER))
                    .isEqualTo(1000);
            long end = System.nanoTime() + SHORT.multipliedBy(2).toNanos();
            while (System.nanoTime() - end < 0) {
                assertThat(controller.admin().logs().smart().temperatureKelvin())
                        .isPositive();
            }
            assertThat(controller.resets()).isZero();
        }
        try (NvmeController silent = Nvme.open(MODEL.address());
                QueuePair queue = silent.createQueuePair(1)) {
            silent.admin().features().set(Feature.KEEP_ALIVE_TIMER, 100);
            NvmeNamespace namespace = silent.namespaces().getFirst();
            // It answers nothing any more then; the driver notices, and resets it.
            while (silent.resets() == 0) {
                try {
                    queue.flush(namespace).await(Duration.ofSeconds(5));
                } catch (NvmeException aborted) {
                    assertThat(silent.resets()).isEqualTo(1);
                }
            }
        }
    }
}
