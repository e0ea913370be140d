package dev.outboard.cli;

import dev.outboard.driver.ByteSize;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.TypeConversionException;

/** How all options read what they are given: numbers take {@code 0x…} and units, words are those of the help. */
final class OptionValues {
    private OptionValues() {}

    /** Has a command and its subcommands read values so. */
    static void register(CommandLine commandLine) {
        commandLine.registerConverter(ByteSize.class, OptionValues::size);
        commandLine.registerConverter(Long.class, OptionValues::number);
        commandLine.registerConverter(long.class, OptionValues::number);
        commandLine.registerConverter(Integer.class, OptionValues::integer);
        commandLine.registerConverter(int.class, OptionValues::integer);
        registerWords(commandLine, commandLine);
    }

    private static ByteSize size(String text) {
        try {
            return ByteSize.parse(text);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }

    private static long number(String text) {
        try {
            return ByteSize.parse(text).bytes();
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException("\"" + text + "\" is no number; one looks like 20, 0x14 or 4K");
        }
    }

    private static int integer(String text) {
        long number = number(text);
        if (number > Integer.MAX_VALUE) {
            throw new TypeConversionException(text + " is more than " + Integer.MAX_VALUE);
        }
        return (int) number;
    }

    private static void registerWords(CommandLine root, CommandLine commandLine) {
        for (ArgSpec argument : commandLine.getCommandSpec().args()) {
            if (argument.type().isEnum()) {
                registerWords(root, argument.type());
            }
        }
        commandLine.getSubcommands().values().forEach(each -> registerWords(root, each));
    }

    private static <T> void registerWords(CommandLine root, Class<T> type) {
        root.registerConverter(type, words(type));
    }

    private static <T> ITypeConverter<T> words(Class<T> type) {
        return text -> Arrays.stream(type.getEnumConstants())
                .filter(each -> word(each).equals(text.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() -> new TypeConversionException("\"" + text + "\" is none of "
                        + Arrays.stream(type.getEnumConstants())
                                .map(OptionValues::word)
                                .collect(Collectors.joining(", "))));
    }

    private static String word(Object constant) {
        return ((Enum<?>) constant).name().toLowerCase(Locale.ROOT);
    }
}
