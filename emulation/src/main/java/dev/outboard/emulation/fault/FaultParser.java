package dev.outboard.emulation.fault;

import dev.outboard.emulation.interpose.Region;
import dev.outboard.emulation.interpose.RegisterNames;
import dev.outboard.memory.Register;
import dev.outboard.memory.RegisterMap;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Reads fault rules. */
final class FaultParser {
    private static final Pattern WORD = Pattern.compile("\\S+");
    private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(us|ms|s)");
    private static final int OPCODES = 256;
    private static final long GREATEST_ID = 0xffff;

    private final String file;
    private final Map<Region, RegisterMap> names = new EnumMap<>(Region.class);
    private final List<FaultRule> rules = new ArrayList<>();
    private long seed;

    private int lineNumber;
    private List<Word> words = List.of();
    private int next;
    private int endColumn;

    private record Word(String text, int column) {}

    FaultParser(String file) {
        this.file = file;
        names.put(Region.CONFIG, PciConfiguration.ALL);
    }

    FaultPlan parse(String text) throws FaultSyntaxException {
        boolean headed = false;
        for (String line : text.lines().toList()) {
            lineNumber++;
            split(line);
            if (!headed) {
                if (!line.strip().equals(FaultPlan.HEADER)) {
                    throw error(1, "the first line is \"" + FaultPlan.HEADER + "\"");
                }
                headed = true;
            } else if (!words.isEmpty()) {
                line();
                if (next < words.size()) {
                    throw error(words.get(next).column, "\"" + words.get(next).text + "\" is too much");
                }
            }
        }
        if (!headed) {
            lineNumber = 1;
            throw error(1, "the first line is \"" + FaultPlan.HEADER + "\"");
        }
        return new FaultPlan(seed, rules);
    }

    private void split(String line) {
        int comment = line.indexOf('#');
        String content = comment < 0 ? line : line.substring(0, comment);
        words = WORD.matcher(content)
                .results()
                .map(match -> new Word(match.group(), match.start() + 1))
                .toList();
        next = 0;
        endColumn = content.stripTrailing().length() + 1;
    }

    private void line() throws FaultSyntaxException {
        String first = word("seed, names or on");
        switch (first) {
            case "seed" -> seed = number(Long.MAX_VALUE);
            case "names" -> {
                Region region = region();
                String name = word(RegisterNames.CHOICES);
                try {
                    names.put(region, RegisterNames.find(name));
                } catch (IllegalArgumentException | IOException e) {
                    throw error(words.get(next - 1).column, String.valueOf(e.getMessage()));
                }
            }
            case "on" -> rules.add(rule());
            default -> throw wrong("a line begins with seed, names or on");
        }
    }

    private FaultRule rule() throws FaultSyntaxException {
        FaultTarget target = target();
        FaultTiming timing = timing();
        expect("do");
        FaultAction action = action();
        int column = words.get(next - 1).column;
        try {
            return new FaultRule(target, timing, action);
        } catch (IllegalArgumentException e) {
            throw error(column, String.valueOf(e.getMessage()));
        }
    }

    private FaultTarget target() throws FaultSyntaxException {
        String choices = Stream.of(FaultTarget.Kind.values())
                .map(FaultTarget.Kind::toString)
                .collect(Collectors.joining(", "));
        String text = word(choices);
        FaultTarget.Kind kind = Stream.of(FaultTarget.Kind.values())
                .filter(known -> known.toString().equals(text))
                .findFirst()
                .orElseThrow(() -> wrong("a rule watches one of " + choices));
        return switch (kind) {
            case READ, WRITE -> {
                Region region = region();
                long[] range = range(region);
                yield new FaultTarget(kind, region, range[0], range[1], FaultTarget.ANY_OPCODE);
            }
            case INTERRUPT, DMA_IN, DMA_OUT -> {
                long[] range = range(null);
                yield new FaultTarget(kind, null, range[0], range[1], FaultTarget.ANY_OPCODE);
            }
            case COMPLETION, COMMAND -> {
                long[] range = range(null);
                int opcode = accept("opcode") ? opcode(range[0] == 0 && range[1] == 0) : FaultTarget.ANY_OPCODE;
                yield new FaultTarget(kind, null, range[0], range[1], opcode);
            }
            case ANY -> new FaultTarget(kind, null, 0, Long.MAX_VALUE, FaultTarget.ANY_OPCODE);
        };
    }

    private Region region() throws FaultSyntaxException {
        String text = word("bar0 to bar5, or config");
        return Region.find(text).orElseThrow(() -> wrong("the regions are bar0 to bar5, and config"));
    }

    /** {@code *}, a number, two numbers with a dash, or a register's name. */
    private long[] range(@Nullable Region region) throws FaultSyntaxException {
        String text = word(region == null ? "*, a number or a range as 1-4" : "*, an offset, a range or a name");
        if (text.equals("*")) {
            return new long[] {0, Long.MAX_VALUE};
        }
        if (Character.isDigit(text.charAt(0))) {
            int dash = text.indexOf('-');
            long first = parse(dash < 0 ? text : text.substring(0, dash), Long.MAX_VALUE);
            long last = dash < 0 ? first : parse(text.substring(dash + 1), Long.MAX_VALUE);
            if (first > last) {
                throw wrong("a range begins with the smaller number");
            }
            return new long[] {first, last};
        }
        RegisterMap map = region == null ? null : names.get(region);
        if (map == null) {
            throw wrong(
                    region == null
                            ? "this is *, a number or a range as 1-4"
                            : "for a register's name, say before what the registers are, as in \"names " + region
                                    + " nvme\"");
        }
        Optional<Register> register = map.find(text);
        if (register.isEmpty()) {
            throw wrong(map.name() + " has no such register");
        }
        long offset = register.get().offset();
        // A wide register may be accessed in halves.
        return new long[] {offset, offset + register.get().widthBytes() - 1};
    }

    private int opcode(boolean admin) throws FaultSyntaxException {
        String text = word("an opcode");
        if (Character.isDigit(text.charAt(0))) {
            return (int) parse(text, OPCODES - 1);
        }
        for (int opcode = 0; opcode < OPCODES; opcode++) {
            String name = admin ? Opcode.adminName(opcode) : Opcode.ioName(opcode);
            if (name.replace(' ', '-').equals(text)) {
                return opcode;
            }
        }
        throw wrong("an opcode is a number, or a name as read, write, flush, or of queue 0 identify, set-features");
    }

    private FaultTiming timing() throws FaultSyntaxException {
        long nth = 0;
        long every = 0;
        long count = 0;
        double probability = 1;
        long after = 0;
        while (next < words.size() && !words.get(next).text.equals("do")) {
            switch (word("do")) {
                case "nth" -> nth = positive();
                case "every" -> every = positive();
                case "count" -> count = positive();
                case "probability" -> probability = probability();
                case "after" -> after = duration();
                default -> throw wrong("expected nth, every, count, probability, after or do");
            }
        }
        boolean once = nth > 0 && every == 0 && count == 0;
        return new FaultTiming(
                nth > 0 ? nth : Math.max(1, every),
                Math.max(1, every),
                once ? 1 : count == 0 ? Long.MAX_VALUE : count,
                probability,
                after);
    }

    private FaultAction action() throws FaultSyntaxException {
        String choices = Stream.of(FaultAction.Kind.values())
                .map(FaultAction.Kind::toString)
                .collect(Collectors.joining(", "));
        String text = word(choices);
        FaultAction.Kind kind = Stream.of(FaultAction.Kind.values())
                .filter(known -> known.toString().equals(text))
                .findFirst()
                .orElseThrow(() -> wrong("the actions are " + choices));
        return new FaultAction(
                kind,
                switch (kind) {
                    case STATUS -> number(GREATEST_ID >>> 1);
                    case COMMAND -> number(GREATEST_ID);
                    case FLIP, STICK -> number(-1);
                    case DELAY -> duration();
                    default -> 0;
                });
    }

    private long positive() throws FaultSyntaxException {
        long value = number(Long.MAX_VALUE);
        if (value == 0) {
            throw wrong("this is at least 1");
        }
        return value;
    }

    private double probability() throws FaultSyntaxException {
        String text = word("a probability");
        try {
            double value = Double.parseDouble(text);
            if (value >= 0 && value <= 1) {
                return value;
            }
        } catch (NumberFormatException e) {
            // As below.
        }
        throw wrong("a probability is a number from 0 to 1");
    }

    private long duration() throws FaultSyntaxException {
        Matcher matcher = DURATION.matcher(word("a duration"));
        if (!matcher.matches()) {
            throw wrong("a duration is a number with its unit, as 20us, 5ms or 2s");
        }
        long unit = switch (matcher.group(2)) {
            case "us" -> 1_000L;
            case "ms" -> 1_000_000L;
            default -> 1_000_000_000L;
        };
        return Long.parseLong(matcher.group(1)) * unit;
    }

    private long number(long greatest) throws FaultSyntaxException {
        return parse(word("a number"), greatest);
    }

    /** A number, decimal or with 0x; unsigned, not above the greatest. */
    private long parse(String text, long greatest) throws FaultSyntaxException {
        try {
            long value = text.startsWith("0x") || text.startsWith("0X")
                    ? Long.parseUnsignedLong(text.substring(2), 16)
                    : Long.parseUnsignedLong(text);
            if (Long.compareUnsigned(value, greatest) <= 0) {
                return value;
            }
        } catch (NumberFormatException e) {
            throw wrong("expected a number, as 17 or 0x11");
        }
        throw wrong("this is " + Long.toUnsignedString(greatest) + " at most");
    }

    private boolean accept(String text) {
        boolean there = next < words.size() && words.get(next).text.equals(text);
        next += there ? 1 : 0;
        return there;
    }

    private void expect(String text) throws FaultSyntaxException {
        if (!word(text).equals(text)) {
            throw wrong("expected " + text);
        }
    }

    private String word(String expected) throws FaultSyntaxException {
        if (next == words.size()) {
            throw error(endColumn, "the line ends where one of these is due: " + expected);
        }
        return words.get(next++).text;
    }

    /** The word that was just taken is wrong. */
    private FaultSyntaxException wrong(String message) {
        Word word = words.get(next - 1);
        return error(word.column, "\"" + word.text + "\": " + message);
    }

    private FaultSyntaxException error(int column, String message) {
        return new FaultSyntaxException(file, lineNumber, column, message);
    }
}
