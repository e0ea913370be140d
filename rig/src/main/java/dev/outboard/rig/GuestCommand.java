package dev.outboard.rig;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A command for a guest. It runs as root, in a session of its own, with no input.
 *
 * @param arguments the program, found in the guest's PATH (the JDK of this JVM comes first in it), and its arguments
 * @param directory where it runs
 * @param environment variables to set, on top of PATH, HOME, LANG, JAVA_HOME and OUTBOARD_RIG
 */
public record GuestCommand(List<String> arguments, Path directory, Map<String, String> environment) {
    /**
     * Describes a command.
     *
     * @throws IllegalArgumentException when there is no program, or a variable's name is none
     */
    public GuestCommand {
        arguments = List.copyOf(arguments);
        environment = Map.copyOf(environment);
        if (arguments.isEmpty()) {
            throw new IllegalArgumentException("A command needs a program");
        }
        for (String name : environment.keySet()) {
            if (!name.matches("[A-Za-z_][A-Za-z0-9_]*")) {
                throw new IllegalArgumentException("Not the name of an environment variable: " + name);
            }
        }
    }

    /**
     * A command that runs in this JVM's working directory.
     *
     * @param arguments the program and its arguments
     * @return the command
     */
    public static GuestCommand of(String... arguments) {
        return new GuestCommand(List.of(arguments), Path.of("").toAbsolutePath(), Map.of());
    }

    /**
     * A script for the guest's {@code /bin/sh} that runs in this JVM's working directory.
     *
     * @param script the text of the script
     * @return the command
     */
    public static GuestCommand script(String script) {
        return of("/bin/sh", "-c", script);
    }

    /**
     * The same command elsewhere.
     *
     * @param folder where it runs
     * @return the changed command
     */
    public GuestCommand in(Path folder) {
        return new GuestCommand(arguments, folder.toAbsolutePath(), environment);
    }

    /**
     * The same command with one more environment variable.
     *
     * @param name the variable
     * @param value its value
     * @return the changed command
     */
    public GuestCommand with(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(environment);
        more.put(name, value);
        return new GuestCommand(arguments, directory, more);
    }

    String toScript() {
        StringBuilder script = new StringBuilder();
        script.append("cd ").append(Shell.quote(directory.toString())).append(" || exit 126\n");
        environment.forEach((name, value) -> script.append("export ")
                .append(name)
                .append('=')
                .append(Shell.quote(value))
                .append('\n'));
        return script.append("exec ")
                .append(Shell.quote(arguments))
                .append('\n')
                .toString();
    }
}
