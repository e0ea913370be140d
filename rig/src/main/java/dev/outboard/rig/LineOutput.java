package dev.outboard.rig;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;

/** Passes whole lines on, so that the outputs of several guests do not mix within one. */
final class LineOutput extends OutputStream {
    private final LineBuffer lines = new LineBuffer();
    private final PrintStream to;

    LineOutput(PrintStream to) {
        this.to = to;
    }

    @Override
    public void write(int value) {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
        lines.add(ByteBuffer.wrap(bytes, offset, length));
        for (String line = lines.next(); line != null; line = lines.next()) {
            to.println(line);
        }
    }
}
