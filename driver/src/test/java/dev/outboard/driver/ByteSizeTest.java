package dev.outboard.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ByteSizeTest {
    @ParameterizedTest
    @CsvSource({
        "0,0",
        "512,512",
        "0x200,512",
        "4K,4096",
        "4k,4096",
        "4KiB,4096",
        "1M,1048576",
        "2G,2147483648",
        "1T,1099511627776"
    })
    void sizesAreReadInAllTheirForms(String text, long bytes) {
        assertThat(ByteSize.parse(text).bytes()).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "K", "-1", "-1K", "1.5M", "4Q", "0x", "0x-1", "9999999999G", "0xffffffffffffffff", "big"})
    void whatIsNoSizeIsRefusedWithExamples(String text) {
        assertThatThrownBy(() -> ByteSize.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("4K");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "511", "512", "1K", "4K", "1M", "1025K", "3G"})
    void aSizeIsPrintedAsItIsRead(String text) {
        assertThat(ByteSize.parse(text)).hasToString(text);
    }
}
