package dev.outboard.memory.svd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.outboard.memory.Field;
import dev.outboard.memory.Register;
import dev.outboard.memory.Register.Access;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SvdFileTest {
    @TempDir
    Path directory;

    static SvdDevice example() throws IOException {
        try (InputStream in = Objects.requireNonNull(SvdFileTest.class.getResourceAsStream("example.svd"))) {
            return SvdDevice.read(in, "example.svd");
        }
    }

    private static SvdPeripheral peripheral(String name) throws IOException {
        return example().find(name).orElseThrow();
    }

    private static Register register(String peripheral, String name) throws IOException {
        return peripheral(peripheral).registers().get(name);
    }

    private static SvdDevice read(String xml) throws IOException {
        return SvdDevice.read(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)), "test.svd");
    }

    private static String device(String registers) {
        return "<device><name>D</name><peripherals><peripheral><name>P</name><baseAddress>0</baseAddress><registers>"
                + registers + "</registers></peripheral></peripherals></device>";
    }

    private static void assertRefused(String xml, String... says) {
        assertThatExceptionOfType(SvdException.class)
                .isThrownBy(() -> read(xml))
                .satisfies(
                        e -> assertThat(e.getMessage()).startsWith("test.svd:").contains(says));
    }

    @Test
    void widthsAreInheritedFromTheDeviceDown() throws IOException {
        assertThat(register("UART0", "CTRL").widthBits()).isEqualTo(32);
        assertThat(register("UART0", "DATA").widthBits()).isEqualTo(8);
        assertThat(register("UART0", "DIVISOR").widthBits()).isEqualTo(16);
        assertThat(register("UART0", "STAMP").widthBits()).isEqualTo(64);
    }

    @Test
    void everyWayOfSayingWhereAFieldIsMeansTheSame() throws IOException {
        Register control = register("UART0", "CTRL");
        assertThat(control.field("ENABLE").place()).isEqualTo("0");
        assertThat(control.field("PARITY").place()).isEqualTo("2:1");
        assertThat(control.field("FRAME").place()).isEqualTo("7:4");
        assertThat(control.fields())
                .extracting(Field::name)
                .containsExactly("ENABLE", "PARITY", "FRAME", "LOOP0", "LOOP1");
    }

    @Test
    void accessRulesComeFromAccessWrittenValuesAndReadAction() throws IOException {
        assertThat(register("UART0", "CTRL").access()).isEqualTo(Access.READ_WRITE);
        assertThat(register("UART0", "DATA").access()).isEqualTo(Access.READ_HAS_EFFECT);
        assertThat(register("UART0", "EVENTS").access()).isEqualTo(Access.READ_TO_CLEAR);
        assertThat(register("UART0", "STAMP").access()).isEqualTo(Access.READ_ONLY);
        Register status = register("UART0", "STATUS");
        assertThat(status.field("OVERRUN").access()).isEqualTo(Access.WRITE_1_TO_CLEAR);
        assertThat(status.field("IDLE").access()).isEqualTo(Access.READ_ONLY);
        assertThat(register("UART0", "TRIGGER").access()).isEqualTo(Access.WRITE_ONLY);
    }

    @Test
    void enumeratedValuesNameTheirNumbersInEveryNotation() throws IOException {
        Field parity = register("UART0", "CTRL").field("PARITY");
        assertThat(parity.nameOf(0)).contains("NONE");
        assertThat(parity.nameOf(1)).contains("EVEN");
        assertThat(parity.nameOf(2)).contains("ODD");
        assertThat(parity.nameOf(3)).isEmpty();
        Field frame = register("UART0", "CTRL").field("FRAME");
        assertThat(frame.nameOf(8)).contains("LONG");
        assertThat(frame.nameOf(11)).contains("LONG");
        assertThat(frame.nameOf(12)).isEmpty();
        // Derived from the other register's.
        assertThat(register("UART0", "STATUS").field("PARITY").nameOf(2)).contains("ODD");
    }

    @Test
    void arraysListsAndClustersAreLaidOut() throws IOException {
        assertThat(register("UART0", "FILTER3").offset()).isEqualTo(0x4c);
        assertThat(register("UART0", "PORTB").offset()).isEqualTo(0x61);
        assertThat(register("UART0", "DMA1.LENGTH").offset()).isEqualTo(0x114);
        assertThat(register("UART0", "DMA1.RING.HEAD").offset()).isEqualTo(0x118);
        assertThat(example().peripherals())
                .extracting(SvdPeripheral::name)
                .containsExactly("UART0", "UART1", "GPIO0", "GPIO1");
        assertThat(peripheral("GPIO1").baseAddress()).isEqualTo(0x4000_3000L);
    }

    @Test
    void whatIsDerivedHasEverythingOfItsBaseAndItsOwn() throws IOException {
        SvdPeripheral derived = peripheral("uart1");
        assertThat(derived.baseAddress()).isEqualTo(0x4000_1000L);
        assertThat(derived.registers().get("STATUS"))
                .isNotEqualTo(register("UART0", "STATUS"))
                .extracting(Register::section)
                .isEqualTo("Example UART1");
        assertThat(derived.registers().get("EXTRA").offset()).isEqualTo(0x200);
        assertThat(register("UART0", "CTRL2").offset()).isEqualTo(0x30);
        assertThat(register("UART0", "CTRL2").fields())
                .isEqualTo(register("UART0", "CTRL").fields());
        assertThat(peripheral("UART0").registers().find("EXTRA")).isEmpty();
    }

    @Test
    void aFileIsReadFromDisk() throws IOException {
        Path file = directory.resolve("small.svd");
        Files.writeString(file, device("<register><name>R</name><addressOffset>0x4</addressOffset></register>"));
        assertThat(SvdDevice.read(file)
                        .peripherals()
                        .getFirst()
                        .registers()
                        .get("R")
                        .offset())
                .isEqualTo(4);
    }

    @Test
    void entitiesAreNeitherReadNorExpanded() throws IOException {
        Path secret = Files.writeString(directory.resolve("secret"), "hidden words");
        String declared = "<!DOCTYPE device [<!ENTITY x SYSTEM \"" + secret.toUri() + "\">]>";
        String used = device("<register><name>R</name><addressOffset>0</addressOffset>"
                + "<description>&x;</description></register>");
        assertThatExceptionOfType(SvdException.class)
                .isThrownBy(() -> read(declared + used))
                .satisfies(e -> assertThat(e.getMessage()).doesNotContain("hidden words"));
        String laughs = "<!DOCTYPE device [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;\">]>";
        assertThatExceptionOfType(SvdException.class).isThrownBy(() -> read(laughs + used.replace("&x;", "&b;")));
        assertThatExceptionOfType(SvdException.class)
                .isThrownBy(() -> read("<!DOCTYPE device SYSTEM \"" + secret.toUri() + "\">" + device("")));
    }

    @Test
    void whatIsTooLargeIsRefused() {
        assertRefused("<device>".repeat(100) + "</device>".repeat(100), "64 levels");
        String many = "<dim>65536</dim><dimIncrement>4</dimIncrement>";
        String register = "<register>" + many + "<name>R%s</name><addressOffset>0</addressOffset></register>";
        String cluster = "<cluster>" + many + "<name>C%s</name><addressOffset>0</addressOffset>";
        assertRefused(device(cluster + cluster.replace("C%s", "D%s") + register + "</cluster></cluster>"), "262144");
        assertRefused(device(cluster + cluster + "</cluster></cluster>"), "262144");
        assertRefused(device("<register>" + many.replace("65536", "65537") + "</register>"), "name");
        assertRefused(device("<register><name>R</name>" + many.replace("65536", "65537") + "</register>"), "65537");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            <name>R</name> | no addressOffset
            <addressOffset>0</addressOffset> | without a name
            <name>R</name><addressOffset>four</addressOffset> | four
            <name>R</name><addressOffset>-4</addressOffset> | -4
            <name>R</name><addressOffset>0</addressOffset><size>24</size> | 24 bits wide
            <name>R</name><addressOffset>0</addressOffset><size>128</size> | 128
            <name>R</name><addressOffset>0</addressOffset><access>secret</access> | secret
            <name>R</name><addressOffset>0</addressOffset><dim>2</dim> | dimIncrement
            <name>R</name><addressOffset>0</addressOffset><dim>2</dim><dimIncrement>4</dimIncrement><dimIndex>A,B,C</dimIndex> | dimIndex
            <name>R</name><addressOffset>0</addressOffset><fields><field><name>F</name></field></fields> | no bits
            <name>R</name><addressOffset>0</addressOffset><fields><field><name>F</name><bitRange>[3:9]</bitRange></field></fields> | 3:9
            <name>R</name><addressOffset>0</addressOffset><fields><field><name>F</name><bitOffset>32</bitOffset></field></fields> | R.F does not fit
            """)
    void whatMakesNoSenseIsRefusedWithItsLine(String register, String says) {
        assertRefused(device("<register>" + register + "</register>"), says);
    }

    @Test
    void whatIsDerivedFromNothingOrFromItselfIsRefused() {
        assertRefused(device("<register derivedFrom=\"Q\"><name>R</name></register>"), "\"Q\"", "no such register");
        assertRefused(
                device("<register derivedFrom=\"B\"><name>A</name></register>"
                        + "<register derivedFrom=\"A\"><name>B</name></register>"),
                "itself");
        assertRefused(device("<register derivedFrom=\"R\"><name>R</name></register>"), "itself");
    }

    @Test
    void whatIsNoSvdFileIsRefused() {
        assertRefused("", "no well-formed XML");
        assertRefused("registers: none", "no well-formed XML");
        assertRefused("<html/>", "<html>");
        assertRefused("<device/>", "no peripherals");
        assertRefused("<device><name>x</device>", "test.svd:1");
        String register = "<register><name>R</name><addressOffset>0</addressOffset></register>";
        assertRefused(device(register + register), "two registers R");
    }
}
