package dev.outboard.rig;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * An apt with lists, caches and sources of its own, so that the machine's are neither read nor changed, and no root is
 * needed. The machine's configuration (proxies, credentials, keyrings) still holds.
 */
final class PrivateApt {
    private static final Duration DOWNLOAD_LIMIT = Duration.ofMinutes(10);
    private static final Duration QUERY_LIMIT = Duration.ofMinutes(1);

    private final Path directory;
    private final Map<String, String> environment;

    private PrivateApt(Path directory) {
        this.directory = directory;
        this.environment =
                Map.of("APT_CONFIG", directory.resolve("apt.conf").toString(), "DEBIAN_FRONTEND", "noninteractive");
    }

    /**
     * A package to download.
     *
     * @param name its name
     * @param dependency if it is a metapackage: what it stands for, as apt-cache shows it
     * @param otherwise what to do instead if it cannot be had
     */
    record Wanted(String name, @Nullable Pattern dependency, String otherwise) {}

    /** What to do with the apt of a source. */
    private interface Download<T> {
        T from(PrivateApt apt) throws IOException;
    }

    /** The newest version of a package, downloaded from the first source that has it. */
    static Path download(Path directory, Wanted wanted, DebianRelease release) throws IOException {
        return download(directory, wanted, release, release.kernelSuite(), apt -> apt.download(wanted));
    }

    /**
     * The newest version of a package in a suite, and all packages that it needs, whatever this machine has of them; from
     * the first source that has it.
     */
    static List<Path> downloadWithDependencies(Path directory, Wanted wanted, DebianRelease release, String suite)
            throws IOException {
        return download(directory, wanted, release, suite, apt -> apt.downloadWithDependencies(wanted.name()));
    }

    private static <T> T download(
            Path directory, Wanted wanted, DebianRelease release, String suite, Download<T> download)
            throws IOException {
        Map<String, String> machine = machineFolders(directory);
        List<String> sources = AptSources.withSuite(
                Path.of(machine.getOrDefault("LIST", "")),
                Path.of(machine.getOrDefault("SOURCES", "")),
                release.suites(),
                suite);
        RigException failure = new RigException(
                "No apt source of this machine carries a suite of %s with the component main: add one, or %s"
                        .formatted(release.suites(), wanted.otherwise()));
        for (int i = 0; i < sources.size(); i++) {
            PrivateApt apt = new PrivateApt(Files.createDirectories(directory.resolve("apt-" + i)));
            apt.configure(Path.of(machine.getOrDefault("PARTS", "")), sources.get(i));
            try {
                return download.from(apt);
            } catch (RigException e) {
                failure = new RigException(
                        "%s could not be fetched; that takes the network once, or %s. %s"
                                .formatted(wanted.name(), wanted.otherwise(), e.getMessage()),
                        e);
            }
        }
        throw failure;
    }

    private static Map<String, String> machineFolders(Path directory) throws IOException {
        String answer = HostProgram.APT_CONFIG.run(
                QUERY_LIMIT,
                directory,
                Map.of(),
                List.of(
                        "shell",
                        "LIST",
                        "Dir::Etc::sourcelist/f",
                        "SOURCES",
                        "Dir::Etc::sourceparts/d",
                        "PARTS",
                        "Dir::Etc::parts/d"));
        Map<String, String> folders = new HashMap<>();
        Matcher matcher = Pattern.compile("(?m)^(\\w+)='(.*)'$").matcher(answer);
        while (matcher.find()) {
            folders.put(matcher.group(1), matcher.group(2));
        }
        return folders;
    }

    private void configure(Path machineParts, String source) throws IOException {
        Path parts = Files.createDirectories(directory.resolve("apt.conf.d"));
        Path sources = Files.createDirectories(directory.resolve("sources.list.d"));
        Files.createDirectories(directory.resolve("lists/partial"));
        Files.createDirectories(directory.resolve("cache/archives/partial"));
        if (Files.isDirectory(machineParts)) {
            try (Stream<Path> files = Files.list(machineParts)) {
                for (Path file : files.toList()) {
                    Files.createSymbolicLink(parts.resolve(file.getFileName()), file.toAbsolutePath());
                }
            }
        }
        Files.writeString(sources.resolve("rig.sources"), source);
        Files.writeString(directory.resolve("apt.conf"), "Dir::Etc::parts \"%s\";\n".formatted(parts));
        // Read last. The hooks of the machine would work on its own caches, and fail for an ordinary user.
        Files.writeString(parts.resolve("zzz-outboard-rig"), """
                #clear APT::Update::Pre-Invoke;
                #clear APT::Update::Post-Invoke;
                #clear APT::Update::Post-Invoke-Success;
                Dir::Etc::sourcelist "/dev/null";
                Dir::Etc::sourceparts "%1$s";
                Dir::Etc::preferences "/dev/null";
                Dir::Etc::preferencesparts "/dev/null";
                Dir::State::lists "%2$s/lists";
                Dir::Cache "%2$s/cache";
                APT::Update::Error-Mode "any";
                APT::Sandbox::User "root";
                """.formatted(sources, directory));
    }

    private Path download(Wanted wanted) throws IOException {
        HostProgram.APT_GET.run(DOWNLOAD_LIMIT, directory, environment, List.of("-q", "update"));
        String name = wanted.dependency() == null ? wanted.name() : resolve(wanted.name(), wanted.dependency());
        HostProgram.APT_GET.run(DOWNLOAD_LIMIT, directory, environment, List.of("-q", "download", name));
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(".deb"))
                    .findFirst()
                    .orElseThrow(() -> new RigException("apt-get download left no package in " + directory));
        }
    }

    private List<Path> downloadWithDependencies(String name) throws IOException {
        HostProgram.APT_GET.run(DOWNLOAD_LIMIT, directory, environment, List.of("-q", "update"));
        HostProgram.APT_GET.run(
                DOWNLOAD_LIMIT,
                directory,
                environment,
                List.of(
                        "-q",
                        "-y",
                        // Where nothing is installed, everything is missing; and nobody else uses these folders.
                        "-oDir::State::status=" + Files.createFile(directory.resolve("status")),
                        "-oDebug::NoLocking=true",
                        "--no-install-recommends",
                        "--download-only",
                        "install",
                        name));
        try (Stream<Path> files = Files.list(directory.resolve("cache/archives"))) {
            return files.filter(file -> file.toString().endsWith(".deb")).toList();
        }
    }

    private String resolve(String metapackage, Pattern dependency) throws IOException {
        String depends =
                HostProgram.APT_CACHE.run(QUERY_LIMIT, directory, environment, List.of("depends", metapackage));
        Matcher matcher = dependency.matcher(depends);
        if (!matcher.find()) {
            throw new RigException("Package %s depends on no %s; apt-cache said: %s"
                    .formatted(metapackage, dependency, depends.strip()));
        }
        return matcher.group(1);
    }
}
