package dev.outboard.emulation;

import dev.outboard.linux.Errno;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A command of the client that is answered with an error number. */
final class ErrorReply extends IOException {
    private static final long serialVersionUID = 1L;

    private final int errno;

    ErrorReply(int errno) {
        this(errno, null);
    }

    ErrorReply(int errno, @Nullable Throwable cause) {
        super("error reply " + Errno.name(errno), cause);
        this.errno = errno;
    }

    int errno() {
        return errno;
    }
}
