package dev.outboard.emulation.recording;

import java.io.IOException;
import java.nio.file.Path;

/** A recording that could not be written to its end. What was recorded goes on without it. */
public final class IncompleteRecordingException extends IOException {
    private static final long serialVersionUID = 1L;

    IncompleteRecordingException(Path file, IOException cause) {
        super(
                "the recording " + file + " is incomplete: " + cause.getMessage()
                        + "; make room for it, and record again",
                cause);
    }
}
