package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceException;
import dev.outboard.nvme.NvmeSettings.HostMemoryUse;
import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a controller says about the host memory that it wants, and what the driver makes of it. */
class HostMemoryBufferTest {
    private static final long MIB_PAGES = 256;
    private static final long ALL_ONES = 0xffff_ffffL;

    private final FakeController fake = new FakeController();

    private void wants(long preferred, long minimum, long minimumPiece, long pieces) {
        fake.identity.put("hmpre", preferred);
        fake.identity.put("hmmin", minimum);
        fake.identity.put("hmminds", minimumPiece);
        fake.identity.put("hmmaxd", pieces);
    }

    /** Pages of each piece that was given at last. */
    private List<Long> pieces() {
        List<Long> words = fake.hostMemory.getLast();
        List<Long> pages = new ArrayList<>();
        for (int i = 3; i < words.size(); i += 2) {
            pages.add(words.get(i));
        }
        return pages;
    }

    private long flags() {
        return fake.hostMemory.getLast().getFirst();
    }

    @Test
    void aControllerThatWantsNoneIsNotAsked() throws IOException {
        try (NvmeController controller = Nvme.open(fake)) {
            assertThat(controller.hostMemoryBytes()).isZero();
        }
        assertThat(fake.hostMemory).isEmpty();
    }

    @Test
    void whereSomebodyBetweenWouldHaveToSeeItOnlyIfItMust() throws IOException {
        for (HostMemoryUse use : HostMemoryUse.values()) {
            FakeController between = new FakeController() {
                @Override
                public boolean isInterposed() {
                    return true;
                }
            };
            between.identity.put("hmpre", MIB_PAGES);
            try (NvmeController controller = Nvme.open(between, NvmeSettings.DEFAULT.withHostMemory(use))) {
                assertThat(controller.hostMemoryBytes()).isEqualTo(use == HostMemoryUse.ON ? 1 << 20 : 0);
            }
        }
    }

    @Test
    void itIsTakenBackBeforeTheControllerIsShutDown() throws IOException {
        wants(MIB_PAGES, 0, 0, 0);
        try (NvmeController controller = Nvme.open(fake)) {
            assertThat(controller.hostMemoryBytes()).isEqualTo(1 << 20);
            assertThat(flags()).isEqualTo(1);
            assertThat(pieces()).containsExactly(MIB_PAGES);
        }
        assertThat(flags()).isZero();
        assertThat(fake.closed).isTrue();
    }

    @Test
    void lessMemoryThanItNeedsIsNone() throws IOException {
        wants(64 * MIB_PAGES, 64 * MIB_PAGES, 0, 0);
        fake.memoryLimitBytes = 32 << 20;
        try (NvmeController controller = Nvme.open(fake)) {
            assertThat(controller.hostMemoryBytes()).as("less than it needs").isZero();
        }
        assertThat(fake.hostMemory).isEmpty();
    }

    @Test
    void whatCannotBeHadInOnePieceIsGivenInSeveral() throws IOException {
        wants(64 * MIB_PAGES, MIB_PAGES, 0, 0);
        fake.memoryLimitBytes = 54 << 20;
        try (NvmeController controller = Nvme.open(fake)) {
            assertThat(controller.hostMemoryBytes()).isEqualTo(32 << 20);
            assertThat(pieces()).containsExactly(32 * MIB_PAGES);
            controller.reset();
            assertThat(controller.hostMemoryBytes()).isEqualTo(32 << 20);
        }
    }

    @Test
    void moreSmallerPiecesWhereFewLargeOnesAreTooLittle() throws IOException {
        wants(64 * MIB_PAGES, 40 * MIB_PAGES, 0, 0);
        fake.memoryLimitBytes = 54 << 20;
        try (NvmeController controller = Nvme.open(fake)) {
            assertThat(pieces()).hasSize(3).containsOnly(16 * MIB_PAGES);
            assertThat(controller.hostMemoryBytes()).isEqualTo(48 << 20);
        }
    }

    @Test
    void noMorePiecesThanTheControllerTakes() throws IOException {
        wants(64 * MIB_PAGES, 40 * MIB_PAGES, 0, 2);
        fake.memoryLimitBytes = 54 << 20;
        try (NvmeController controller = Nvme.open(fake)) {
            assertThat(controller.hostMemoryBytes()).isZero();
        }
        assertThat(fake.hostMemory).isEmpty();
    }

    @Test
    void noSmallerPiecesThanTheControllerTakes() throws IOException {
        wants(64 * MIB_PAGES, 40 * MIB_PAGES, 17 * MIB_PAGES, 0);
        fake.memoryLimitBytes = 54 << 20;
        try (NvmeController controller = Nvme.open(fake)) {
            assertThat(controller.hostMemoryBytes()).isZero();
        }
        assertThat(fake.hostMemory).isEmpty();
    }

    @Test
    void anAbsurdSizeIsCutToTheLimit() throws IOException {
        wants(ALL_ONES, 1, 0, 0xffff);
        NvmeSettings settings = NvmeSettings.DEFAULT.withHostMemoryLimit(8 << 20);
        try (NvmeController controller = Nvme.open(fake, settings)) {
            assertThat(controller.hostMemoryBytes()).isEqualTo(8 << 20);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "256, 257, 0, 'prefers a host memory buffer of 1M and needs 1028K, which cannot be'",
        "0xffffffff, 0xffffffff, 0, 'needs a host memory buffer of 17179869180K, and may have 128M'",
        "256, 0, 257, takes no piece of a host memory buffer below 1028K",
        "256, 0, 0xffffffff, takes no piece of a host memory buffer below 17179869180K",
        "0, 5, 0, wants no host memory buffer (HMPRE is 0)",
    })
    void whatMakesNoSenseIsLeftOffOrSaid(String preferred, String minimum, String piece, String says)
            throws IOException {
        wants(Long.decode(preferred), Long.decode(minimum), Long.decode(piece), 0);
        try (NvmeController controller = Nvme.open(fake)) {
            assertThat(controller.hostMemoryBytes()).isZero();
        }
        assertThat(fake.hostMemory).isEmpty();
        FakeController another = new FakeController();
        another.identity.putAll(fake.identity);
        assertThatThrownBy(() -> Nvme.open(another, NvmeSettings.DEFAULT.withHostMemory(HostMemoryUse.ON)))
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("fake:nvme")
                .hasMessageContaining(says);
        assertThat(another.closed).isTrue();
    }

    @Test
    void aControllerThatRefusesItWorksWithout() throws IOException {
        wants(MIB_PAGES, 0, 0, 0);
        fake.featureStatus.put(Feature.HOST_MEMORY_BUFFER, Status.INVALID_FIELD);
        try (NvmeController controller = Nvme.open(fake)) {
            assertThat(controller.hostMemoryBytes()).isZero();
            assertThat(controller.namespaces()).hasSize(1);
            fake.featureStatus.clear();
            controller.reset();
            assertThat(flags()).as("what it never had is not returned").isEqualTo(1);
            assertThat(controller.hostMemoryBytes()).isEqualTo(1 << 20);
        }
        FakeController another = new FakeController();
        another.identity.putAll(fake.identity);
        another.featureStatus.put(Feature.HOST_MEMORY_BUFFER, Status.INVALID_FIELD);
        assertThatThrownBy(() -> Nvme.open(another, NvmeSettings.DEFAULT.withHostMemory(HostMemoryUse.ON)))
                .hasMessageContaining("does not take a host memory buffer")
                .hasMessageContaining("invalid field in command");
    }

    @Test
    void theSameMemoryIsReturnedAfterAReset() throws IOException {
        wants(MIB_PAGES, 0, 0, 0);
        try (NvmeController controller = Nvme.open(fake)) {
            List<Long> before = fake.hostMemory.getLast();
            controller.reset();
            assertThat(flags()).isEqualTo(3);
            assertThat(fake.hostMemory.getLast().subList(1, before.size())).isEqualTo(before.subList(1, before.size()));
        }
    }

    @Test
    void aControllerThatForgotWhatItLeftThereGetsItAnew() throws IOException {
        wants(MIB_PAGES, 0, 0, 0);
        try (NvmeController controller = Nvme.open(fake)) {
            fake.refusesReturnedMemory = true;
            controller.reset();
            assertThat(fake.hostMemory.get(1).getFirst()).isEqualTo(3);
            assertThat(flags()).isEqualTo(1);
            assertThat(controller.hostMemoryBytes()).isEqualTo(1 << 20);
        }
    }

    @Test
    void anotherWishAfterAResetIsFulfilledAnew() throws IOException {
        wants(MIB_PAGES, 0, 0, 0);
        try (NvmeController controller = Nvme.open(fake)) {
            wants(2 * MIB_PAGES, 0, 0, 0);
            controller.reset();
            assertThat(flags()).isEqualTo(1);
            assertThat(controller.hostMemoryBytes()).isEqualTo(2 << 20);
            wants(0, 0, 0, 0);
            controller.reset();
            assertThat(controller.hostMemoryBytes()).isZero();
        }
        assertThat(flags()).as("what it does not have is not taken back").isEqualTo(1);
    }

    @Test
    void memoryLivesUntilTheFunctionIsClosedIfTheControllerDoesNotConfirm() throws IOException {
        wants(MIB_PAGES, 0, 0, 0);
        NvmeController controller = Nvme.open(fake, NvmeSettings.DEFAULT.withCommandTimeout(Duration.ofMillis(50)));
        fake.silent = Opcode.SET_FEATURES;
        controller.close();
        assertThat(flags()).isZero();
        assertThat(controller.hostMemoryBytes()).isEqualTo(1 << 20);
        assertThat(fake.closed).isTrue();
    }
}
