package dev.outboard.bench;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The table of the README: a room uses the rooms in its row, and what those may use. Needs every room compiled. */
class RoomsTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Pattern ROW = Pattern.compile("^\\| \\[`(\\w+)`]\\(\\1\\) \\|[^|]*\\| ([^|]*) \\|$");

    private static final Pattern ROOM = Pattern.compile("^dev\\.outboard\\.(\\w+)");

    private final Map<String, List<String>> table = table();
    private final JavaClasses classes = new ClassFileImporter()
            .importPaths(table.keySet().stream().map(RoomsTest::compiled).toList());

    private static Path compiled(String room) {
        return ROOT.resolve(room).resolve("target/classes");
    }

    private static Map<String, List<String>> table() {
        Map<String, List<String>> rows = new LinkedHashMap<>();
        try (Stream<String> lines = Files.lines(ROOT.resolve("README.md"))) {
            lines.map(ROW::matcher)
                    .filter(Matcher::matches)
                    .forEach(row -> rows.put(
                            row.group(1),
                            row.group(2).equals("–")
                                    ? List.of()
                                    : List.of(row.group(2).split(", ", -1))));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return rows;
    }

    /** The rooms in a room's row, and in theirs. */
    private Set<String> reachable(String room) {
        if (table.get(room).equals(List.of("all"))) {
            return table.keySet();
        }
        Set<String> found = new HashSet<>(Set.of(room));
        Deque<String> open = new ArrayDeque<>(List.of(room));
        while (!open.isEmpty()) {
            for (String used : table.get(open.remove())) {
                if (found.add(used)) {
                    open.add(used);
                }
            }
        }
        return found;
    }

    private static String roomOf(JavaClass javaClass) {
        Matcher room = ROOM.matcher(javaClass.getPackageName());
        return room.find() ? room.group(1) : "";
    }

    @Test
    void theTableHasEveryRoomOfTheBuild() throws IOException {
        String pom = Files.readString(ROOT.resolve("pom.xml"));
        List<String> modules = Pattern.compile("<module>(\\w+)</module>")
                .matcher(pom)
                .results()
                .map(module -> module.group(1))
                .toList();
        assertThat(modules).isNotEmpty().containsExactlyInAnyOrderElementsOf(table.keySet());
        assertThat(modules)
                .allSatisfy(room ->
                        assertThat(compiled(room).resolve("module-info.class")).exists());
    }

    @TestFactory
    Stream<DynamicTest> aRoomUsesOnlyTheRoomsInItsRow() {
        return table.keySet().stream()
                .map(room -> DynamicTest.dynamicTest(room, () -> {
                    Set<String> allowed = reachable(room);
                    noClasses()
                            .that(describe(
                                    "are in " + room,
                                    (JavaClass javaClass) -> roomOf(javaClass).equals(room)))
                            .should()
                            .dependOnClassesThat(describe("are in another room than " + allowed, javaClass -> {
                                String used = roomOf(javaClass);
                                return !used.isEmpty() && !allowed.contains(used);
                            }))
                            .check(classes);
                }));
    }

    @Test
    void onlyLinuxCallsNativeCode() {
        noClasses()
                .that(describe(
                        "are not in linux",
                        (JavaClass javaClass) -> !roomOf(javaClass).equals("linux")))
                .should()
                .dependOnClassesThat()
                .belongToAnyOf(Linker.class, SymbolLookup.class)
                .orShould()
                .callMethodWhere(describe("a restricted method", call -> {
                    String owner = call.getTargetOwner().getName();
                    return (owner.equals(MemorySegment.class.getName())
                                    && call.getName().equals("reinterpret"))
                            || (owner.equals(AddressLayout.class.getName())
                                    && call.getName().equals("withTargetLayout"));
                }))
                .check(classes);
    }

    @Test
    void theseRulesSeeTheClasses() {
        assertThat(classes.stream().map(RoomsTest::roomOf)).containsAll(table.keySet());
        assertThat(reachable("driver")).containsExactlyInAnyOrder("driver", "memory", "linux");
    }
}
