package dev.outboard.memory.svd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.outboard.memory.Register;
import dev.outboard.memory.RegisterMap;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is generated compiles, without a warning and a word of documentation missing, and is what was read. */
class RegisterSourceTest {
    @TempDir
    Path directory;

    /** Compiles a class as its users would, and returns its ALL. */
    private RegisterMap compiled(SvdPeripheral peripheral, String className) throws Exception {
        Path source =
                Files.createDirectories(directory.resolve("src/generated")).resolve(className + ".java");
        Files.writeString(source, RegisterSource.of(peripheral, "generated", className), StandardCharsets.US_ASCII);
        Path classes = Path.of(Register.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        Path output = directory.resolve("classes");
        StringWriter said = new StringWriter();
        int status = ToolProvider.findFirst("javac")
                .orElseThrow()
                .run(
                        new PrintWriter(said),
                        new PrintWriter(said),
                        "-Xlint:all",
                        "-Xdoclint:all/protected",
                        "-Werror",
                        "-d",
                        output.toString(),
                        "-cp",
                        classes.toString(),
                        source.toString());
        assertThat(status).as(said.toString()).isZero();
        URL[] urls = {output.toUri().toURL()};
        try (URLClassLoader loader = new URLClassLoader(urls, getClass().getClassLoader())) {
            return (RegisterMap)
                    loader.loadClass("generated." + className).getField("ALL").get(null);
        }
    }

    private static List<String> shapes(RegisterMap map) {
        return map.registers().stream()
                .map(register -> register.describedAs("") + " "
                        + register.fields().stream()
                                .map(field -> field.name()
                                        + field.place()
                                        + field.access()
                                        + field.values().stream()
                                                .map(value -> value.name() + value.value())
                                                .toList())
                                .toList())
                .map(text -> text.replaceAll("description=[^,\\]]*", ""))
                .toList();
    }

    @Test
    void everyPeripheralCompilesToWhatWasRead() throws Exception {
        for (SvdPeripheral peripheral : SvdFileTest.example().peripherals()) {
            RegisterMap map = compiled(peripheral, RegisterSource.className(peripheral.name()));
            assertThat(map.name()).isEqualTo(peripheral.name());
            assertThat(shapes(map)).isEqualTo(shapes(peripheral.registers()));
        }
    }

    @Test
    void hostileNamesAndTextsStayNamesAndTexts() throws Exception {
        String hostile =
                "*/ static { System.exit(1); } /* \\u002a/ \\u0022; &lt;b&gt; {@code x} @see nothing é 日本 \" \\";
        String xml = "<device><name>" + hostile + "</name><peripherals><peripheral><name>" + hostile
                + "</name><description>" + hostile + "</description><baseAddress>0xffffffff00000000</baseAddress>"
                + "<registers><register><name>" + hostile + "</name><description>" + hostile
                + "</description><addressOffset>0</addressOffset><fields><field><name>" + hostile
                + "</name><description>" + hostile + "</description><bitRange>[3:0]</bitRange><enumeratedValues>"
                + "<enumeratedValue><name>" + hostile + "</name><description>" + hostile
                + "</description><value>1</value></enumeratedValue>"
                + "<enumeratedValue><name>0</name><value>2</value></enumeratedValue></enumeratedValues></field>"
                + "<field><name>REGISTER</name><bitOffset>5</bitOffset></field>"
                + "<field><name>int</name><bitOffset>6</bitOffset></field></fields></register>"
                + "<register><name>Field</name><addressOffset>4</addressOffset></register>"
                + "<register><name>String</name><addressOffset>8</addressOffset></register>"
                + "<register><name>class</name><addressOffset>12</addressOffset></register></registers>"
                + "</peripheral></peripherals></device>";
        SvdPeripheral peripheral = SvdDevice.read(
                        new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)), "hostile.svd")
                .peripherals()
                .getFirst();
        RegisterMap map = compiled(peripheral, "Hostile");
        assertThat(shapes(map)).isEqualTo(shapes(peripheral.registers()));
        assertThat(map.registers().getFirst().name()).contains("static { System.exit(1); }");
    }

    @Test
    void namesThatAreNoneInJavaAreRefused() throws IOException {
        SvdPeripheral peripheral = SvdFileTest.example().peripherals().getFirst();
        for (String name : List.of("", "class", "a-b", "9", "A.B", "int", "A;", "../A")) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> RegisterSource.of(peripheral, "generated", name))
                    .withMessageContaining(name);
        }
        for (String name : List.of("", "a..b", ".a", "a.", "int", "../a", "a b")) {
            assertThatIllegalArgumentException().isThrownBy(() -> RegisterSource.of(peripheral, name, "A"));
        }
        assertThat(RegisterSource.className("UART_0")).isEqualTo("Uart0");
        assertThat(RegisterSource.className("2nd")).isEqualTo("_2nd_");
    }
}
