package dev.outboard.memory.svd;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Finds what an element is derived from, by the names from the peripheral down, and completes the element with it. */
final class SvdDerivation {
    private static final Set<String> NAMED = Set.of("peripheral", "cluster", "register", "field", "enumeratedValues");
    private static final int MAXIMUM_CHAIN = 64;

    /** An element and the names above it. */
    private record Place(SvdElement element, String scope) {}

    private final String file;
    private final SvdNumbers numbers;
    private final Map<String, Place> places = new HashMap<>();
    private final Map<String, Place> enumerations = new HashMap<>();
    private final Map<String, String> baseOfPeripheral = new HashMap<>();

    SvdDerivation(String file, SvdElement device) throws SvdException {
        this.file = file;
        this.numbers = new SvdNumbers(file);
        index(device, "");
    }

    private void index(SvdElement element, String scope) throws SvdException {
        for (SvdElement child : element.children()) {
            String inner = scope;
            if (NAMED.contains(child.name()) && child.child("name") != null) {
                String name = child.text("name", "");
                Place place = new Place(child, scope);
                inner = join(scope, name);
                places.putIfAbsent(key(child.name(), inner), place);
                if (child.child("dim") != null) {
                    String first = SvdArray.of(child, numbers, file).names().getFirst();
                    places.putIfAbsent(key(child.name(), join(scope, first)), place);
                }
                if (child.name().equals("enumeratedValues")) {
                    enumerations.putIfAbsent(name, place);
                }
                String base = child.derivedFrom();
                if (child.name().equals("peripheral") && base != null) {
                    baseOfPeripheral.put(name, base);
                }
            }
            index(child, inner);
        }
    }

    /** The element with everything that it inherits. */
    SvdElement complete(SvdElement element, String scope) throws SvdException {
        return complete(element, scope, 0);
    }

    private SvdElement complete(SvdElement element, String scope, int chain) throws SvdException {
        String base = element.derivedFrom();
        if (base == null) {
            return element;
        }
        if (chain == MAXIMUM_CHAIN) {
            throw new SvdException(
                    file, element.line(), "derivedFrom \"" + base + "\" leads back to itself, or too far");
        }
        Place place = find(element.name(), base, scope);
        if (place == null) {
            throw new SvdException(
                    file, element.line(), "derivedFrom \"" + base + "\": there is no such " + element.name());
        }
        return element.over(complete(place.element(), place.scope(), chain + 1));
    }

    private @Nullable Place find(String kind, String base, String scope) {
        String where = scope;
        for (int hops = 0; hops <= MAXIMUM_CHAIN; hops++) {
            for (String outer = where; ; outer = outer.substring(0, Math.max(0, outer.lastIndexOf('.')))) {
                Place place = places.get(key(kind, join(outer, base)));
                if (place != null) {
                    return place;
                }
                if (outer.isEmpty()) {
                    break;
                }
            }
            // What a peripheral inherited has names in the one that it inherited from.
            int end = where.indexOf('.');
            String peripheral = end < 0 ? where : where.substring(0, end);
            String inheritedFrom = baseOfPeripheral.get(peripheral);
            if (inheritedFrom == null) {
                break;
            }
            where = inheritedFrom + (end < 0 ? "" : where.substring(end));
        }
        return kind.equals("enumeratedValues") ? enumerations.get(base) : null;
    }

    /** A name inside of others. */
    static String join(String scope, String name) {
        return scope.isEmpty() ? name : scope + "." + name;
    }

    private static String key(String kind, String path) {
        return kind + " " + path;
    }
}
