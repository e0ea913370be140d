package dev.outboard.samples.serial;

import java.io.IOException;
import org.junit.jupiter.api.Tag;

/** The model in a process of its own, as commands use it that are told no device. */
@Tag("emulated")
class SerialOverModelProcessTest extends SerialContract {
    @Override
    SerialCard open() throws IOException {
        return SerialCard.open("model:serial");
    }
}
