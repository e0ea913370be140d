package dev.outboard.pci;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Loads kernel modules. */
interface ModuleLoader {
    /** By the kernel's usual tool. */
    ModuleLoader MODPROBE = ModuleLoader::modprobe;

    /**
     * Loads a module.
     *
     * @param name its name, or an alias
     * @return what there was to say; empty if it went well
     */
    String load(String name) throws IOException;

    private static String modprobe(String name) throws IOException {
        // Not in everybody's PATH.
        Path tool = Path.of("/usr/sbin/modprobe");
        String command = Files.isExecutable(tool) ? tool.toString() : "modprobe";
        Process process;
        try {
            process = new ProcessBuilder(List.of(command, "--", name))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.PIPE)
                    .start();
        } catch (IOException missing) {
            return "there is no modprobe here";
        }
        process.getOutputStream().close();
        try {
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                return "modprobe did not end within 30 s";
            }
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return said.lines().findFirst().orElse("");
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            return "modprobe was interrupted";
        }
    }
}
