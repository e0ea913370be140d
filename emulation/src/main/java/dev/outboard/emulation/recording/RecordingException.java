package dev.outboard.emulation.recording;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A recording that cannot be understood. The message names the file and the line. */
public final class RecordingException extends IOException {
    private static final long serialVersionUID = 1L;

    RecordingException(String file, long line, String message, @Nullable Throwable cause) {
        super(file + ":" + line + ": " + message, cause);
    }
}
