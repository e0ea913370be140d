package dev.outboard.cli;

import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * A file that the user named. Whatever fails says which file and what is wrong with it, also what Java says without the
 * name: that a folder is read, that a disk is full.
 *
 * @param path where it is
 */
public record NamedFile(Path path) {
    /** EISDIR, as the kernel's message has it. */
    private static final String IS_DIRECTORY = "Is a directory";

    /** A transfer of a file's data. */
    private interface Transfer<T> {
        T run() throws IOException;
    }

    private <T> T named(Transfer<T> transfer) throws IOException {
        try {
            return transfer.run();
        } catch (FileSystemException e) {
            throw e;
        } catch (IOException e) {
            throw new FileSystemException(path.toString(), null, e.getMessage());
        }
    }

    /**
     * Reads all of it.
     *
     * @return its bytes
     * @throws IOException if it cannot be read
     */
    public byte[] read() throws IOException {
        return named(() -> Files.readAllBytes(path));
    }

    /**
     * Replaces what is in it.
     *
     * @param bytes what it has then
     * @throws IOException if it cannot be written
     */
    public void write(byte[] bytes) throws IOException {
        named(() -> Files.write(path, bytes));
    }

    /**
     * Replaces what is in it.
     *
     * @param text what it has then, in UTF-8
     * @throws IOException if it cannot be written
     */
    public void write(String text) throws IOException {
        write(text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Opens it to read.
     *
     * @return its bytes
     * @throws IOException if it cannot be opened
     */
    public InputStream input() throws IOException {
        return new FilterInputStream(named(() -> Files.newInputStream(path))) {
            @Override
            public int read() throws IOException {
                return named(in::read);
            }

            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                return named(() -> in.read(bytes, offset, length));
            }
        };
    }

    /**
     * Opens it to replace what is in it.
     *
     * @return where its bytes go
     * @throws IOException if it cannot be opened
     */
    public OutputStream output() throws IOException {
        return new FilterOutputStream(named(() -> Files.newOutputStream(path))) {
            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                named(() -> {
                    out.write(bytes, offset, length);
                    return length;
                });
            }
        };
    }

    /**
     * Finds out, before long work, whether its result can be written here. Changes nothing.
     *
     * @throws IOException if it cannot
     */
    public void checkWritable() throws IOException {
        Path folder = path.toAbsolutePath().getParent();
        if (folder == null || Files.isDirectory(path)) {
            throw new FileSystemException(path.toString(), null, IS_DIRECTORY);
        }
        if (!Files.isDirectory(folder)) {
            throw new NoSuchFileException(path.toString());
        }
        if (!Files.isWritable(Files.exists(path) ? path : folder)) {
            throw new AccessDeniedException(path.toString());
        }
    }

    /** What is wrong with a file, in words for the user. */
    static String explain(FileSystemException failure) {
        String file = failure.getFile();
        if (file == null) {
            return String.valueOf(failure.getMessage());
        }
        return switch (failure) {
            case NoSuchFileException missing -> missing(file);
            case AccessDeniedException denied -> "no permission to use " + file;
            default -> {
                String reason = failure.getReason();
                yield IS_DIRECTORY.equals(reason)
                        ? file + " is a directory, not a file"
                        : file + ": " + (reason == null ? failure.getClass().getSimpleName() : reason);
            }
        };
    }

    private static String missing(String file) {
        Path folder = Path.of(file).toAbsolutePath().getParent();
        return folder == null || Files.exists(folder)
                ? file + ": there is no such file"
                : file + ": there is no such file, nor its folder";
    }
}
