package dev.outboard.samples.edu;

import java.io.IOException;
import org.junit.jupiter.api.Tag;

/** The model in a process of its own, as commands use it that are told no device. */
@Tag("emulated")
class EduOverModelProcessTest extends EduContract {
    @Override
    Edu open() throws IOException {
        return Edu.open("model:edu");
    }
}
