package dev.outboard.rig;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class CpioArchiveTest {
    @Test
    void everyPartIsAlignedAndSized() {
        byte[] archive = new CpioArchive()
                .directory("bin")
                .file("init", "#!/bin/sh".getBytes(StandardCharsets.US_ASCII))
                .finish();
        String text = new String(archive, StandardCharsets.ISO_8859_1);
        int file = text.indexOf("070701", 1);
        assertThat(file % 4).isZero();
        assertThat(text.substring(file + 14, file + 22)).as("mode").isEqualTo("000081ED");
        assertThat(text.substring(file + 54, file + 62)).as("size").isEqualTo("00000009");
        assertThat(text.substring(file + 94, file + 102)).as("name size").isEqualTo("00000005");
        assertThat(text.substring(file + 110, file + 115)).isEqualTo("init\0");
        assertThat(text.substring(file + 116, file + 125)).isEqualTo("#!/bin/sh");
        assertThat(text).contains("TRAILER!!!");
        assertThat(archive.length % 4).isZero();
    }
}
