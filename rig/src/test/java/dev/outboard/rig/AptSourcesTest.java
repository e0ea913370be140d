package dev.outboard.rig;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AptSourcesTest {
    private static final List<String> SUITES = List.of("bookworm-backports", "bookworm");

    @Test
    void aStanzaIsCopiedWithAnotherSuiteAndAllElseKept() {
        String text = """
                # A comment
                Types: deb deb-src
                URIs: http://mirror.invalid/archive
                # Another
                Suites: bookworm bookworm-updates
                Components: main contrib
                Signed-By:
                 -----BEGIN PGP PUBLIC KEY BLOCK-----
                 .
                 -----END PGP PUBLIC KEY BLOCK-----

                Types: deb
                URIs: http://mirror.invalid/security
                Suites: bookworm-security
                Components: main
                """;
        assertThat(AptSources.fromStanzas(text, SUITES, "bookworm-backports")).containsExactly("""
                types: deb
                uris: http://mirror.invalid/archive
                suites: bookworm-backports
                components: main
                signed-by:
                 -----BEGIN PGP PUBLIC KEY BLOCK-----
                 .
                 -----END PGP PUBLIC KEY BLOCK-----
                """);
    }

    @Test
    void stanzasThatAreDisabledOrForSourcesOrWithoutMainAreLeftOut() {
        String stanza =
                "Types: %s\nURIs: http://mirror.invalid/archive\nSuites: bookworm\nComponents: %s\nEnabled: %s\n";
        String text = String.join(
                "\n",
                stanza.formatted("deb-src", "main", "yes"),
                stanza.formatted("deb", "stable", "yes"),
                stanza.formatted("deb", "main", "no"));
        assertThat(AptSources.fromStanzas(text, SUITES, "bookworm-backports")).isEmpty();
    }

    @Test
    void aLineIsCopiedWithAnotherSuiteAndItsOptions() {
        String text = """
                # deb http://commented.invalid/archive bookworm main
                deb [arch=amd64,i386 signed-by=/usr/share/keyrings/k.gpg] http://mirror.invalid/archive bookworm main contrib
                deb-src http://mirror.invalid/archive bookworm main
                deb http://other.invalid/linux bookworm stable
                """;
        assertThat(AptSources.fromLines(text, SUITES, "bookworm-backports")).containsExactly("""
                types: deb
                uris: http://mirror.invalid/archive
                suites: bookworm-backports
                components: main
                architectures: amd64 i386
                signed-by: /usr/share/keyrings/k.gpg
                """);
    }

    @Test
    void onlyFilesThatAptReadsAreRead(@TempDir Path folder) throws IOException {
        String line = "deb http://%s.invalid/archive bookworm main\n";
        Path list = Files.writeString(folder.resolve("sources.list"), line.formatted("one"));
        Path parts = Files.createDirectory(folder.resolve("sources.list.d"));
        Files.writeString(parts.resolve("two.list"), line.formatted("two"));
        Files.writeString(parts.resolve("three.list.disabled"), line.formatted("three"));
        assertThat(AptSources.withSuite(list, parts, SUITES, "bookworm-backports"))
                .hasSize(2)
                .anyMatch(source -> source.contains("one.invalid"))
                .anyMatch(source -> source.contains("two.invalid"));
    }

    @Test
    void bookwormTakesItsKernelFromBackportsAndTrixieFromItself() {
        assertThat(DebianRelease.of("bookworm").kernelSuite()).isEqualTo("bookworm-backports");
        assertThat(DebianRelease.of("trixie").kernelSuite()).isEqualTo("trixie");
    }
}
