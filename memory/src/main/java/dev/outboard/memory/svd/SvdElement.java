package dev.outboard.memory.svd;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;
import org.jspecify.annotations.Nullable;

/**
 * An element of a file: small enough a tree, and derivation is a matter of trees.
 *
 * @param name its name
 * @param derivedFrom its attribute of that name
 * @param text its text, stripped, white space made one space
 * @param children its elements
 * @param line its line in the file, from 1
 */
record SvdElement(String name, @Nullable String derivedFrom, String text, List<SvdElement> children, int line) {
    // The largest files of vendors have some 10 MB and 500,000 elements.
    private static final long MAXIMUM_BYTES = 128L << 20;
    private static final int MAXIMUM_ELEMENTS = 4_000_000;
    private static final int MAXIMUM_DEPTH = 64;
    private static final int MAXIMUM_TEXT = 1 << 16;

    // What derivation adds to, name by name, instead of replacing it.
    private static final Set<String> CONTAINERS = Set.of("registers", "fields");
    private static final Set<String> MEMBERS = Set.of("register", "cluster", "field");
    private static final Set<String> RANGES = Set.of("bitOffset", "bitWidth", "lsb", "msb", "bitRange");

    /** Reads a document. */
    static SvdElement parse(InputStream in, String file) throws IOException {
        XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
        // Without document types there are no entities, neither external ones nor ones that grow.
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        factory.setXMLResolver((publicId, systemId, base, namespace) -> {
            throw new XMLStreamException("refers to \"" + systemId + "\"; external entities are not read");
        });
        XMLStreamReader reader = null;
        try {
            reader = factory.createXMLStreamReader(new Limited(in, file));
            return new Parser(reader, file).document();
        } catch (XMLStreamException e) {
            int line = e.getLocation() == null ? 1 : Math.max(1, e.getLocation().getLineNumber());
            throw new SvdException(file, line, "no well-formed XML: " + firstLine(e), e);
        } finally {
            close(reader);
        }
    }

    private static String firstLine(XMLStreamException e) {
        String message = Objects.requireNonNullElse(e.getMessage(), e.toString());
        return message.replaceFirst("(?s).*Message: ", "").lines().findFirst().orElse(message);
    }

    private static void close(@Nullable XMLStreamReader reader) throws IOException {
        try {
            if (reader != null) {
                reader.close();
            }
        } catch (XMLStreamException e) {
            throw new IOException(e);
        }
    }

    /** The first child of a name. */
    @Nullable
    SvdElement child(String childName) {
        for (SvdElement child : children) {
            if (child.name.equals(childName)) {
                return child;
            }
        }
        return null;
    }

    /** The text of the first child of a name, or another text. */
    String text(String childName, String otherwise) {
        SvdElement child = child(childName);
        return child == null ? otherwise : child.text;
    }

    /** All children of a name. */
    List<SvdElement> children(String childName) {
        return children.stream().filter(child -> child.name.equals(childName)).toList();
    }

    /** What this element is when it says of another only what differs. */
    SvdElement over(SvdElement base) {
        List<SvdElement> merged = new ArrayList<>();
        for (SvdElement own : children) {
            SvdElement inherited = CONTAINERS.contains(own.name) ? base.child(own.name) : null;
            merged.add(inherited == null ? own : own.over(inherited));
        }
        boolean hasRange = child("bitOffset") != null || child("lsb") != null || child("bitRange") != null;
        for (SvdElement inherited : base.children) {
            boolean overridden = MEMBERS.contains(inherited.name)
                    ? hasMember(inherited)
                    : child(inherited.name) != null
                            || (hasRange && RANGES.contains(inherited.name))
                            || inherited.name.startsWith("dim");
            if (!overridden) {
                merged.add(inherited);
            }
        }
        return new SvdElement(name, null, text, List.copyOf(merged), line);
    }

    private boolean hasMember(SvdElement member) {
        String memberName = member.text("name", "");
        return children(member.name).stream()
                .anyMatch(own -> own.text("name", "").equals(memberName));
    }

    /** A stream that ends badly when it is too long. */
    private static final class Limited extends FilterInputStream {
        private final String file;
        private long left = MAXIMUM_BYTES;

        Limited(InputStream in, String file) {
            super(in);
            this.file = file;
        }

        @Override
        public int read() throws IOException {
            int value = super.read();
            count(value < 0 ? 0 : 1);
            return value;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            int count = super.read(bytes, offset, length);
            count(Math.max(0, count));
            return count;
        }

        private void count(int bytes) throws IOException {
            left -= bytes;
            if (left < 0) {
                throw new SvdException(
                        file, 1, "more than " + MAXIMUM_BYTES + " bytes; that is no register description");
            }
        }
    }

    private static final class Parser {
        private final XMLStreamReader reader;
        private final String file;
        private int elements;

        Parser(XMLStreamReader reader, String file) {
            this.reader = reader;
            this.file = file;
        }

        SvdElement document() throws XMLStreamException, SvdException {
            while (reader.hasNext()) {
                int event = reader.next();
                if (event == XMLStreamConstants.DTD) {
                    throw problem("has a document type; register descriptions have none");
                }
                if (event == XMLStreamConstants.START_ELEMENT) {
                    SvdElement root = element(1);
                    while (reader.hasNext()) {
                        reader.next();
                    }
                    return root;
                }
            }
            throw problem("has no element");
        }

        private SvdElement element(int depth) throws XMLStreamException, SvdException {
            String name = reader.getLocalName();
            String derivedFrom = reader.getAttributeValue(null, "derivedFrom");
            int line = reader.getLocation().getLineNumber();
            if (depth > MAXIMUM_DEPTH || ++elements > MAXIMUM_ELEMENTS) {
                throw problem("more than " + MAXIMUM_DEPTH + " levels or " + MAXIMUM_ELEMENTS + " elements");
            }
            StringBuilder text = new StringBuilder();
            List<SvdElement> children = new ArrayList<>();
            for (int event = reader.next(); event != XMLStreamConstants.END_ELEMENT; event = reader.next()) {
                switch (event) {
                    case XMLStreamConstants.START_ELEMENT -> children.add(element(depth + 1));
                    case XMLStreamConstants.CHARACTERS, XMLStreamConstants.CDATA -> text.append(reader.getText());
                    case XMLStreamConstants.ENTITY_REFERENCE ->
                        throw problem("has the entity \"" + reader.getLocalName() + "\"; entities are not read");
                    default -> {}
                }
                if (text.length() > MAXIMUM_TEXT) {
                    throw problem(name + " has more than " + MAXIMUM_TEXT + " characters of text");
                }
            }
            String stripped = text.toString().strip().replaceAll("\\s+", " ");
            return new SvdElement(name, derivedFrom, stripped, List.copyOf(children), line);
        }

        private SvdException problem(String what) {
            return new SvdException(file, Math.max(1, reader.getLocation().getLineNumber()), what);
        }
    }
}
