package dev.outboard.emulation;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/** A directory that only this user can enter, for the socket of a model in a process of its own. */
final class PrivateDirectory {
    private static final String SOCKET = "vfio-user.sock";
    private static final String ERRORS = "errors";
    private static final int ATTEMPTS = 100;

    private PrivateDirectory() {}

    static Path create() throws IOException {
        // As mkdtemp makes it: with these permissions from the start, and nobody's from before. Its name is no secret,
        // so it needs no SecureRandom, which takes long to load.
        var permissions = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
        Path parent = Path.of(System.getProperty("java.io.tmpdir"));
        for (int attempt = 1; ; attempt++) {
            String name = "outboard-" + ProcessHandle.current().pid() + "-" + Long.toHexString(System.nanoTime());
            try {
                return Files.createDirectory(parent.resolve(name), permissions);
            } catch (FileAlreadyExistsException e) {
                if (attempt == ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    static Path socket(Path directory) {
        return directory.resolve(SOCKET);
    }

    /** Where the process that serves the model writes what went wrong. */
    static Path errors(Path directory) {
        return directory.resolve(ERRORS);
    }

    /** Deletes it with the files that it may hold; parent and child both do, whoever lives longer. */
    static void delete(Path directory) {
        try {
            Files.deleteIfExists(socket(directory));
            Files.deleteIfExists(errors(directory));
            Files.deleteIfExists(directory);
        } catch (IOException e) {
            // Nothing depends on it: the directory lies where the system cleans up.
        }
    }
}
