package dev.outboard.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Compares every constant, structure and ioctl number of this room with what C makes of the installed headers. Classes
 * are found by their files, so none can be forgotten. Newer headers: {@code -Doutboard.kernelHeaders=DIRECTORY[:…]}.
 */
class AbiProbeTest {
    private static final String PACKAGE = "dev.outboard.linux.";

    @TempDir
    Path directory;

    /** One comparison: where Java has it, C's expression, Java's value, whether C's may be larger. */
    private record Claim(String where, String expression, long value, boolean mayGrow) {}

    @BeforeAll
    static void aCompilerIsHere() {
        assumeTrue(CProbe.obstacle().isEmpty(), CProbe.obstacle());
    }

    static Stream<Class<?>> classesWithConstants() throws IOException, URISyntaxException, ClassNotFoundException {
        URI classes =
                Fd.class.getProtectionDomain().getCodeSource().getLocation().toURI();
        Path root = Path.of(classes).resolve("dev/outboard/linux");
        List<Class<?>> found = new ArrayList<>();
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.sorted().toList()) {
                String name = root.relativize(file).toString().replace('/', '.');
                if (name.endsWith(".class") && !name.endsWith("package-info.class")) {
                    Class<?> type = Class.forName(PACKAGE + name.substring(0, name.length() - ".class".length()));
                    if (!constants(type).isEmpty()) {
                        found.add(type);
                    }
                }
            }
        }
        return found.stream();
    }

    @ParameterizedTest
    @MethodSource("classesWithConstants")
    void everyConstantIsWhatTheHeadersSay(Class<?> type) throws Exception {
        String name = nameOf(type);
        String outermost = name.replaceFirst("\\$.*", "");
        List<Claim> claims = new ArrayList<>();
        for (Field field : constants(type)) {
            claims.addAll(claims(name, field));
        }
        if (claims.isEmpty()) {
            // All are Outboard's own.
            return;
        }
        assertThat(AbiNames.HEADERS)
                .as("AbiNames.HEADERS: add the headers that define the constants of " + outermost)
                .containsKey(outermost);
        CProbe.Answer answer = CProbe.ask(
                AbiNames.HEADERS.get(outermost),
                claims.stream().map(Claim::expression).distinct().toList(),
                directory);

        List<String> wrong = new ArrayList<>();
        for (Claim claim : claims) {
            Long inC = answer.values().get(claim.expression());
            if (inC != null && inC != claim.value() && !(claim.mayGrow() && inC > claim.value())) {
                wrong.add(claim.where() + " is " + claim.value() + ", but in C " + claim.expression() + " is " + inC);
            } else if (inC == null && !isNewerThanTheHeaders(claim)) {
                wrong.add(claim.where() + ": these headers have no " + claim.expression()
                        + "; if that is right, list it in AbiNames");
            }
        }
        assertThat(wrong).isEmpty();
    }

    @Test
    void whatTheNamesListIsThere() throws Exception {
        List<String> all = new ArrayList<>();
        for (Class<?> type : classesWithConstants().toList()) {
            constants(type).forEach(field -> all.add(nameOf(type) + "." + field.getName()));
        }
        assertThat(all).containsAll(AbiNames.OWN).containsAll(AbiNames.EXPRESSIONS.keySet());
    }

    @Test
    void aStructureThatIsWrongIsFound() throws Exception {
        CProbe.Answer answer = CProbe.ask(
                List.of("poll.h"),
                List.of("sizeof(struct pollfd)", "offsetof(struct pollfd, revent)", "POLLNONE", "POLLIN"),
                directory);
        assertThat(answer.values()).isEqualTo(new TreeMap<>(Map.of("sizeof(struct pollfd)", 8L, "POLLIN", 1L)));
        assertThat(answer.unknown()).containsExactly("offsetof(struct pollfd, revent)", "POLLNONE");
    }

    /** Such a claim is compared by {@link AbiOfNewerHeadersTest} alone, for whose headers nothing is too new. */
    private boolean isNewerThanTheHeaders(Claim claim) throws IOException, InterruptedException {
        String constant = claim.where().replaceFirst(" .*", "");
        Integer since = Stream.of(constant, constant.substring(0, constant.lastIndexOf('.')))
                .map(AbiNames.SINCE::get)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
        return since != null && since > headersVersion();
    }

    private long headersVersion() throws IOException, InterruptedException {
        String version = "LINUX_VERSION_CODE";
        return CProbe.ask(List.of("linux/version.h"), List.of(version), directory)
                .values()
                .get(version);
    }

    private static String nameOf(Class<?> type) {
        return type.getName().substring(PACKAGE.length());
    }

    /** The constants of a class; of those that mirror kernel headers the public ones, of others the private ones too. */
    private static List<Field> constants(Class<?> type) {
        boolean mirror = type.getPackageName().endsWith(".uapi");
        return Arrays.stream(type.getDeclaredFields())
                .filter(field -> Modifier.isStatic(field.getModifiers()) && Modifier.isFinal(field.getModifiers()))
                .filter(field -> !field.isSynthetic() && !field.getName().equals("serialVersionUID"))
                .filter(field -> Modifier.isPublic(field.getModifiers()) || !mirror)
                .filter(field -> List.of(int.class, long.class, short.class, byte.class, Struct.class, Ioctl.class)
                        .contains(field.getType()))
                .toList();
    }

    private static List<Claim> claims(String className, Field field) throws IllegalAccessException {
        field.setAccessible(true);
        String where = className + "." + field.getName();
        return switch (field.get(null)) {
            case Struct struct -> claims(where, struct);
            case Ioctl ioctl -> List.of(new Claim(where, ioctl.name(), ioctl.number(), false));
            case Number number when AbiNames.OWN.contains(where) -> List.of();
            case Number number -> {
                String expression = AbiNames.EXPRESSIONS.getOrDefault(where, field.getName());
                boolean isInt = field.getType() != long.class;
                yield List.of(
                        new Claim(where, isInt ? "(int) (" + expression + ")" : expression, number.longValue(), false));
            }
            default -> throw new AssertionError(field);
        };
    }

    private static List<Claim> claims(String where, Struct struct) {
        String type = "struct " + struct.name();
        List<Claim> claims = new ArrayList<>();
        // Structures that begin with their own size may grow at the end from one kernel to the next.
        boolean mayGrow =
                List.of("argsz", "size").contains(struct.fieldNames().iterator().next());
        claims.add(new Claim(where, "sizeof(" + type + ")", struct.byteSize(), mayGrow));
        for (String name : struct.fieldNames()) {
            Struct.Field field = struct.field(name);
            String fieldOf = where + " " + name;
            claims.add(new Claim(fieldOf, "offsetof(" + type + ", " + name + ")", struct.offset(name), false));
            claims.add(new Claim(
                    fieldOf, "sizeof(((" + type + " *) 0)->" + name + ")", field.widthBytes() * field.count(), false));
        }
        return claims;
    }
}
