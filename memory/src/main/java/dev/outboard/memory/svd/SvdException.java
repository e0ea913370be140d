package dev.outboard.memory.svd;

import java.io.IOException;

/** A file is no CMSIS-SVD file, or says something that cannot be. */
public final class SvdException extends IOException {
    private static final long serialVersionUID = 1;

    /**
     * A file that makes no sense.
     *
     * @param file its name
     * @param line the line, from 1
     * @param problem what is wrong there
     */
    SvdException(String file, int line, String problem) {
        super(file + ":" + line + ": " + problem);
    }

    /** The same, where something else found it. */
    SvdException(String file, int line, String problem, Throwable cause) {
        super(file + ":" + line + ": " + problem, cause);
    }
}
