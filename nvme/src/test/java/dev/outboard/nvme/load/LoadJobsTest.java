package dev.outboard.nvme.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.emulation.nvme.NvmeOptions;
import dev.outboard.nvme.Nvme;
import dev.outboard.nvme.NvmeController;
import dev.outboard.nvme.ServedModel;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LoadJobsTest {
    private static final Duration LONG = Duration.ofMinutes(10);
    private static final int SIZE = 4096;

    @RegisterExtension
    final ServedModel model = new ServedModel(NvmeOptions.DEFAULT.withSizeBytes(1 << 20));

    private NvmeController controller;

    @BeforeEach
    void open() throws IOException {
        controller = Nvme.open(model.address());
    }

    @AfterEach
    void close() {
        controller.close();
    }

    private static LoadOptions options(Operation operation, int readPercent, long requests, long rate) {
        return new LoadOptions(
                operation, readPercent, SIZE, 0, 4, LONG, requests, rate, Duration.ZERO, true, OptionalInt.empty());
    }

    private LoadResult run(LoadOptions options, int jobs) throws IOException {
        try (LoadJobs load = new LoadJobs(controller, controller.namespace(1), options, jobs)) {
            return load.run();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aLoadEndsAfterItsRequestsAndVerifiesThem(Operation operation) throws IOException {
        LoadResult result = run(options(operation, operation.readPercent(), 500, 0), 1);
        assertThat(result)
                .returns(500L, LoadResult::operations)
                .returns(500L * SIZE, LoadResult::bytes)
                .returns(0L, LoadResult::errors)
                .returns(0L, LoadResult::mismatches);
        assertThat(result.histogram().stream()
                        .mapToLong(LoadResult.Bucket::requests)
                        .sum())
                .isEqualTo(500);
        assertThat(result.latency().p50()).isBetween(0.0, result.latency().max());
        if (operation.writes()) {
            assertThat(result.verified()).isPositive();
        } else {
            assertThat(result.verified()).isZero();
        }
    }

    @Test
    void jobsShareTheRequestsAndHaveTheirOwnPlaces() throws IOException {
        LoadResult result = run(options(Operation.RANDRW, 50, 1001, 0), 3);
        assertThat(result).returns(1001L, LoadResult::operations).returns(0L, LoadResult::mismatches);
        assertThat(result.verified()).isPositive();
    }

    @Test
    void aRateIsKept() throws IOException {
        LoadResult result = run(options(Operation.READ, 100, 100, 1000), 1);
        assertThat(result.operations()).isEqualTo(100);
        // Four may go at once; whatever the machine does, the others do not go earlier.
        assertThat(result.seconds()).isGreaterThan(0.08);
    }

    @Test
    void moreJobsThanPlacesAreRefused() {
        assertThatThrownBy(() -> run(options(Operation.READ, 100, 1, 0), 1000))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> options(Operation.READ, 101, 1, 0)).hasMessageContaining("0 to 100 %");
    }

    @Test
    void whatDiffersFromWhatWasWrittenIsFound() {
        MemorySegment memory = MemorySegment.ofArray(new long[2 * SIZE / Long.BYTES]);
        LoadPattern pattern = new LoadPattern(memory, SIZE, 10, 2);
        pattern.prepare(0, 7, false);
        pattern.prepare(1, 7, true);
        pattern.completed(1);
        assertThat(pattern.verified()).as("before it is written").isZero();
        pattern.completed(0);
        assertThat(pattern.next(0)).isEqualTo(7);
        assertThat(pattern.next(8)).isEqualTo(-1);
        pattern.verify(0, 7);
        assertThat(pattern.mismatches()).isZero();
        pattern.verify(0, 6);
        memory.set(ValueLayout.JAVA_BYTE, SIZE - 1, (byte) 0x42);
        pattern.verify(0, 7);
        assertThat(pattern.mismatches()).isEqualTo(2);
    }
}
