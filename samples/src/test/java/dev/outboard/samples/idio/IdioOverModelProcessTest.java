package dev.outboard.samples.idio;

import java.io.IOException;
import org.junit.jupiter.api.Tag;

/** The model in a process of its own, as commands use it that are told no device. */
@Tag("emulated")
class IdioOverModelProcessTest extends IdioContract {
    @Override
    IdioCard open() throws IOException {
        return IdioCard.open("model:idio16");
    }
}
