package dev.outboard.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.util.Locale;

/**
 * Standard output that does not lose what is printed in silence: {@link PrintStream} swallows errors, so these are thrown
 * through it, unchecked.
 */
final class StandardOutput extends OutputStream {
    /** What the error is called when nobody reads on, as after {@code | head}: {@code EPIPE} of write(2). */
    private static final String BROKEN_PIPE = "broken pipe";

    private static final int BUFFER_BYTES = 8192;

    private final OutputStream out;
    private boolean failed;

    private StandardOutput(OutputStream out) {
        this.out = out;
    }

    /** The reader is gone: the command has nothing more to say, and ends without a word. */
    static final class ReaderGoneException extends IOException {
        private static final long serialVersionUID = 1;

        ReaderGoneException(IOException cause) {
            super("standard output: nobody reads it any more", cause);
        }
    }

    /** Has all that is printed from now on go through this. */
    static void install() {
        OutputStream out = new StandardOutput(new FileOutputStream(FileDescriptor.out));
        System.setOut(new PrintStream(new BufferedOutputStream(out, BUFFER_BYTES), true, System.out.charset()));
    }

    @Override
    public void write(int value) {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
        if (failed) {
            // Said once; what a stream above still holds is lost like what came before.
            return;
        }
        try {
            out.write(bytes, offset, length);
        } catch (IOException e) {
            failed = true;
            throw new UncheckedIOException(failure(e));
        }
    }

    private static IOException failure(IOException e) {
        String message = String.valueOf(e.getMessage());
        return message.toLowerCase(Locale.ROOT).contains(BROKEN_PIPE)
                ? new ReaderGoneException(e)
                : new IOException("standard output: " + message, e);
    }
}
