package dev.outboard.samples.edu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.memory.DmaMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds for every edu device, however it is reached. */
@Timeout(120)
abstract class EduContract {
    private static final int HALF = 2048;

    private Edu edu;

    /** Opens the device; called for each test. */
    abstract Edu open() throws IOException;

    @BeforeEach
    void openDevice() throws IOException {
        edu = open();
    }

    @AfterEach
    void closeDevice() {
        if (edu != null) {
            edu.close();
        }
    }

    @Test
    void itIsAliveAndSaysItsVersion() throws IOException {
        edu.checkAlive();
        assertThat(edu.version()).isEqualTo("1.0");
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "1, 1", "5, 120", "12, 479001600"})
    void factorialsAreRightByPollingAndByInterrupt(int number, long factorial) throws IOException {
        assertThat(edu.factorial(number)).isEqualTo(factorial);
        assertThat(edu.factorialByInterrupt(number)).isEqualTo(factorial);
        assertThat(edu.factorial(number)).isEqualTo(factorial);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 13})
    void numbersWhoseFactorialDoesNotFitAreRefused(int number) {
        assertThatThrownBy(() -> edu.factorial(number)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> edu.factorialByInterrupt(number)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @ParameterizedTest
    @CsvSource({"0, 2048", "0, 4095", "100, 1", "2047, 2048", "1, 100"})
    void whatItReadByDmaItWritesByDma(int offset, int bytes) throws IOException {
        byte[] data = new byte[bytes];
        new Random(bytes).nextBytes(data);
        try (DmaMemory source = edu.buffer().allocate(bytes);
                DmaMemory target = edu.buffer().allocate(bytes)) {
            source.segment().copyFrom(MemorySegment.ofArray(data));
            edu.buffer().write(source, offset);
            edu.buffer().read(offset, target);
            assertThat(target.segment().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(data);
        }
    }

    @Test
    void aTransferMovesNothingButItsBytes() throws IOException {
        try (DmaMemory memory = edu.buffer().allocate(HALF)) {
            memory.segment().fill((byte) 1);
            edu.buffer().write(memory, 0);
            memory.segment().fill((byte) 2);
            edu.buffer().write(memory.slice(0, 10), 5);
            memory.segment().fill((byte) 3);
            edu.buffer().read(0, memory.slice(100, 20));
            byte[] expected = new byte[HALF];
            Arrays.fill(expected, (byte) 3);
            Arrays.fill(expected, 100, 120, (byte) 1);
            Arrays.fill(expected, 105, 115, (byte) 2);
            assertThat(memory.segment().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @CsvSource({"-1, 10", "0, 4096", "4095, 1", "4000, 100"})
    void transfersBeyondItsBufferAreRefused(int offset, int bytes) throws IOException {
        try (DmaMemory memory = edu.buffer().allocate(bytes)) {
            assertThatThrownBy(() -> edu.buffer().write(memory, offset)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> edu.buffer().read(offset, memory)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void memoryThatItCannotReachIsRefused() throws IOException {
        long beyond = 1L << 28;
        DmaMemory unreachable = new DmaMemory(MemorySegment.ofArray(new byte[16]), beyond - 15, () -> {});
        assertThatThrownBy(() -> edu.buffer().write(unreachable, 0))
                .hasMessageContaining("reaches the device addresses to 0xfffffff");
        DmaMemory highest = new DmaMemory(MemorySegment.ofArray(new byte[16]), -16, () -> {});
        assertThatThrownBy(() -> edu.buffer().write(highest, 0))
                .hasMessageContaining("reaches the device addresses to 0xfffffff");
    }

    @Test
    void itWorksAgainWhenItIsOpenedAgain() throws IOException {
        assertThat(edu.factorialByInterrupt(4)).isEqualTo(24);
        edu.close();
        edu.close();
        edu = open();
        assertThat(edu.factorialByInterrupt(6)).isEqualTo(720);
    }
}
