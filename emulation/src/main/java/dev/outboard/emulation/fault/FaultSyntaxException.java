package dev.outboard.emulation.fault;

import java.io.IOException;

/** A file of fault rules that cannot be read. The message names the line and the column, and says what may stand there. */
public final class FaultSyntaxException extends IOException {
    private static final long serialVersionUID = 1L;

    FaultSyntaxException(String file, int line, int column, String message) {
        super(file + ":" + line + ":" + column + ": " + message);
    }
}
