package dev.outboard.memory;

import dev.outboard.linux.LinuxException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** Runs the calls of mmap_calls.py on a {@link MappedFile}, and says of each what Python's answer must be like. */
final class MmapCalls implements AutoCloseable {
    private static final List<MappedFile.Whence> WHENCE =
            List.of(MappedFile.Whence.START, MappedFile.Whence.CURRENT, MappedFile.Whence.END);

    private MappedFile mapped;

    /** Runs one line; the answer is "= VALUE" or "! KIND", the kinds being those of {@link #kindOf}. */
    String answer(String line) {
        List<String> words = new ArrayList<>(List.of(line.split(" ")));
        String name = words.removeFirst();
        try {
            return "= " + (name.equals("open") ? open(words) : call(name, words));
        } catch (LinuxException e) {
            return "! the kernel refuses";
        } catch (IllegalStateException e) {
            return "! closed";
        } catch (IndexOutOfBoundsException e) {
            return "! out of range";
        } catch (UnsupportedOperationException e) {
            return "! read only";
        } catch (IllegalArgumentException e) {
            return "! bad argument";
        } catch (IOException e) {
            throw new AssertionError(line, e);
        }
    }

    /** Which of our exceptions stands for one of Python's; its messages tell more than its types. */
    static String kindOf(String python) {
        if (!python.startsWith("! ")) {
            return python;
        }
        if (python.contains("closed or invalid")) {
            return "! closed";
        }
        if (python.contains("out of range") && !python.contains("new size")) {
            return "! out of range";
        }
        if (python.contains("readonly")) {
            return "! read only";
        }
        return python.startsWith("! OSError") ? "! the kernel refuses" : "! bad argument";
    }

    private String open(List<String> words) throws IOException {
        close();
        MappedFile.Access access = switch (words.get(1)) {
            case "read" -> MappedFile.Access.READ;
            case "write" -> MappedFile.Access.WRITE;
            default -> MappedFile.Access.COPY;
        };
        mapped = MappedFile.open(
                Path.of(words.getFirst()), access, Long.parseLong(words.get(2)), Long.parseLong(words.get(3)));
        return Long.toString(mapped.length());
    }

    private String call(String name, List<String> args) throws IOException {
        boolean all = args.isEmpty() || args.getFirst().equals("-");
        return switch (name) {
            case "len" -> "" + mapped.length();
            case "size" -> "" + mapped.size();
            case "tell" -> "" + mapped.position();
            case "closed" -> mapped.isOpen() ? "0" : "1";
            case "get" -> "" + mapped.get(number(args, 0));
            case "slice" -> hex(mapped.slice(from(args), to(args), step(args)));
            case "read" -> hex(all ? mapped.read() : mapped.read(number(args, 0)));
            case "read_byte" -> "" + mapped.readByte();
            case "readline" -> hex(mapped.readLine());
            case "write" -> "" + mapped.write(bytes(args.getFirst()));
            case "find" -> "" + (args.size() == 1 ? mapped.find(bytes(args.getFirst())) : find(args));
            case "rfind" -> "" + (args.size() == 1 ? mapped.rfind(bytes(args.getFirst())) : rfind(args));
            default -> {
                run(name, args, all);
                yield "-";
            }
        };
    }

    private void run(String name, List<String> args, boolean all) throws IOException {
        switch (name) {
            case "put" -> mapped.put(number(args, 0), (int) number(args, 1));
            case "putslice" -> mapped.putSlice(from(args), to(args), step(args), bytes(args.getLast()));
            case "write_byte" -> mapped.writeByte((int) number(args, 0));
            case "seek" -> {
                if (args.size() == 1) {
                    mapped.seek(number(args, 0));
                } else {
                    mapped.seek(number(args, 0), WHENCE.get((int) number(args, 1)));
                }
            }
            case "move" -> mapped.move(number(args, 0), number(args, 1), number(args, 2));
            case "resize" -> mapped.resize(number(args, 0));
            case "flush" -> {
                if (all) {
                    mapped.flush();
                } else {
                    mapped.flush(number(args, 0), number(args, 1));
                }
            }
            case "close" -> mapped.close();
            default -> throw new AssertionError(name);
        }
    }

    private long find(List<String> args) {
        long to = args.size() > 2 ? number(args, 2) : Long.MAX_VALUE;
        return mapped.find(bytes(args.getFirst()), number(args, 1), to);
    }

    private long rfind(List<String> args) {
        long to = args.size() > 2 ? number(args, 2) : Long.MAX_VALUE;
        return mapped.rfind(bytes(args.getFirst()), number(args, 1), to);
    }

    private static long number(List<String> args, int index) {
        return Long.parseLong(args.get(index));
    }

    private static long step(List<String> args) {
        return args.size() < 3 || args.get(2).startsWith("x") || args.get(2).equals("-") ? 1 : number(args, 2);
    }

    /** What Python takes for a bound that is left out depends on the direction. */
    private static long from(List<String> args) {
        return !args.getFirst().equals("-") ? number(args, 0) : step(args) > 0 ? 0 : Long.MAX_VALUE;
    }

    private static long to(List<String> args) {
        return !args.get(1).equals("-") ? number(args, 1) : step(args) > 0 ? Long.MAX_VALUE : Long.MIN_VALUE;
    }

    private static byte[] bytes(String text) {
        return HexFormat.of().parseHex(text.substring(1));
    }

    private static String hex(byte[] bytes) {
        return "x" + HexFormat.of().formatHex(bytes);
    }

    @Override
    public void close() {
        if (mapped != null) {
            mapped.close();
        }
    }
}
