package dev.outboard.cli.reg;

import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.emulation.interpose.RegisterNames;
import dev.outboard.memory.svd.RegisterSource;
import dev.outboard.memory.svd.SvdPeripheral;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code outboard reg generate}. */
@Command(name = "generate", description = "Writes the Java constants for a peripheral of a CMSIS-SVD file.")
final class GenerateCommand implements Callable<Integer> {
    @Parameters(
            index = "0",
            paramLabel = "FILE.svd[#PERIPHERAL]",
            description = "The file, and the peripheral if it has several.")
    private String names = "";

    @Option(names = "--package", required = true, paramLabel = "NAME", description = "The package of the class.")
    private String packageName = "";

    @Option(
            names = "--class",
            paramLabel = "NAME",
            description = "The name of the class; unless told the peripheral's.")
    private @Nullable String className;

    @Option(
            names = "--source-directory",
            paramLabel = "DIR",
            description = "Where the packages are; unless told the class is printed.")
    private @Nullable Path directory;

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        SvdPeripheral peripheral = RegisterNames.peripheral(names);
        String name = className == null ? RegisterSource.className(peripheral.name()) : className;
        String source = RegisterSource.of(peripheral, packageName, name);
        Map<String, Object> json = Json.object();
        json.put("peripheral", peripheral.name());
        json.put("class", packageName + "." + name);
        json.put("registers", peripheral.registers().registers().size());
        if (directory != null) {
            Path file = directory.resolve(packageName.replace('.', '/')).resolve(name + ".java");
            Files.createDirectories(file.getParent());
            Files.writeString(file, source);
            json.put("file", file.toString());
        } else {
            json.put("source", source);
        }
        if (output.json()) {
            Json.print(System.out, json);
        } else if (directory == null) {
            System.out.print(source);
            System.out.flush();
        } else {
            System.out.println(json.get("file"));
        }
        return 0;
    }
}
