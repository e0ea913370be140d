package dev.outboard.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Asks the C compiler what constant expressions are worth: generates a program that prints them, compiles it against the
 * installed headers and runs it. What the headers do not define is found by the compiler's messages and left out.
 */
final class CProbe {
    /** Further include directories, separated by colons: for headers newer than the installed ones. */
    static final String INCLUDES = System.getProperty("outboard.kernelHeaders", "");

    private static final Pattern ERROR = Pattern.compile("^probe:(\\d+):.*error: .*$", Pattern.MULTILINE);

    /**
     * What the compiler knows.
     *
     * @param values each expression's value
     * @param unknown the expressions that do not compile
     */
    record Answer(Map<String, Long> values, List<String> unknown) {}

    private CProbe() {}

    /** Why nothing can be probed here; empty if it can. */
    static String obstacle() {
        boolean compiler = Stream.of(System.getenv("PATH").split(":"))
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, "gcc")));
        boolean headers =
                Files.exists(Path.of("/usr/include/stdio.h")) && Files.exists(Path.of("/usr/include/linux/version.h"));
        return compiler && headers
                ? ""
                : "no C compiler or headers: install the Debian packages gcc, libc6-dev, linux-libc-dev";
    }

    static Answer ask(List<String> headers, List<String> expressions, Path directory)
            throws IOException, InterruptedException {
        SequencedMap<Integer, String> asked = new TreeMap<>();
        for (int i = 0; i < expressions.size(); i++) {
            // From 1: a compiler does not say that an error is in line 0.
            asked.put(i + 1, expressions.get(i));
        }
        List<String> unknown = new ArrayList<>();
        Path source = directory.resolve("probe.c");
        Path program = directory.resolve("probe");
        while (true) {
            Files.writeString(source, source(headers, asked));
            String messages = compile(source, program);
            TreeSet<Integer> wrong = new TreeSet<>();
            Matcher matcher = ERROR.matcher(messages);
            while (matcher.find()) {
                wrong.add(Integer.parseInt(matcher.group(1)));
            }
            if (wrong.isEmpty()) {
                if (!messages.isEmpty()) {
                    throw new IOException("the probe does not compile: " + messages);
                }
                return new Answer(values(asked, run(List.of(program.toString()))), unknown);
            }
            wrong.forEach(line -> unknown.add(asked.remove(line)));
        }
    }

    /** One expression a line, in a function of its own, so that a compiler message's line tells the expression. */
    private static String source(List<String> headers, Map<Integer, String> expressions) {
        String includes = headers.stream()
                .map("#if __has_include(<%1$s>)\n#include <%1$s>\n#endif\n"::formatted)
                .collect(Collectors.joining());
        String functions = expressions.entrySet().stream()
                .map(e -> "#line %1$d \"probe\"\nstatic long long p%1$d(void) { return (long long) (%2$s); }\n"
                        .formatted(e.getKey(), e.getValue()))
                .collect(Collectors.joining());
        String calls = expressions.keySet().stream()
                .map(i -> "    printf(\"%d %%lld\\n\", p%d());\n".formatted(i, i))
                .collect(Collectors.joining());
        return "#define _GNU_SOURCE\n#include <stddef.h>\n#include <stdio.h>\n" + includes + functions
                + "int main(void) {\n" + calls + "    return 0;\n}\n";
    }

    private static String compile(Path source, Path program) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("gcc", "-std=c11", "-w", "-fmax-errors=0"));
        Arrays.stream(INCLUDES.split(":"))
                .filter(directory -> !directory.isEmpty())
                .forEach(directory -> command.addAll(List.of("-isystem", directory)));
        command.addAll(List.of("-o", program.toString(), source.toString()));
        return run(command);
    }

    private static String run(List<String> command) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("LC_ALL", "C");
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(1, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            throw new IOException(command + " did not end within a minute");
        }
        return output;
    }

    private static Map<String, Long> values(Map<Integer, String> expressions, String output) {
        Map<String, Long> values = new TreeMap<>();
        output.lines().map(line -> line.split(" ")).forEach(words -> {
            values.put(expressions.get(Integer.parseInt(words[0])), Long.parseLong(words[1]));
        });
        return values;
    }
}
