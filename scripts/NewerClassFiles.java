import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeTransform;
import java.lang.constant.ClassDesc;
import java.lang.reflect.AccessFlag;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Enumeration;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;

/**
 * Gives the class files of a jar that were compiled for Java 5 the version of Java 8, and the stack maps that this demands. An
 * AOT cache of JDK 25 takes no classes older than Java 6, and picocli's are: half of a command's start.
 */
final class NewerClassFiles {
    private static final int JAVA_6 = 50;
    private static final int JAVA_8 = 52;

    private NewerClassFiles() {}

    public static void main(String[] arguments) throws IOException {
        Path jar = Path.of(arguments[0]);
        Path made = jar.resolveSibling(jar.getFileName() + ".new");
        boolean isChanged = false;
        try (JarFile from = new JarFile(jar.toFile())) {
            try (JarOutputStream to = new JarOutputStream(Files.newOutputStream(made))) {
                for (Enumeration<JarEntry> entries = from.entries(); entries.hasMoreElements(); ) {
                    JarEntry entry = entries.nextElement();
                    to.putNextEntry(new JarEntry(entry.getName()));
                    try (InputStream in = from.getInputStream(entry)) {
                        byte[] bytes = in.readAllBytes();
                        byte[] written = entry.getName().endsWith(".class") ? newer(bytes, from) : bytes;
                        isChanged |= written != bytes;
                        to.write(written);
                    }
                }
            }
        }
        if (isChanged) {
            Files.move(made, jar, StandardCopyOption.ATOMIC_MOVE);
        } else {
            // The time of the jar is what caches of other JDKs know it by.
            Files.delete(made);
        }
    }

    private static byte[] newer(byte[] bytes, JarFile jar) {
        // Stack maps name the superclass that two types have in common.
        ClassHierarchyResolver hierarchy = ClassHierarchyResolver.ofResourceParsing(type -> open(jar, type))
                .orElse(ClassHierarchyResolver.defaultResolver());
        ClassFile format = ClassFile.of(
                ClassFile.StackMapsOption.GENERATE_STACK_MAPS,
                // Methods are not copied as they are.
                ClassFile.ConstantPoolSharingOption.NEW_POOL,
                ClassFile.ClassHierarchyResolverOption.of(hierarchy));
        ClassModel model = format.parse(bytes);
        if (model.majorVersion() >= JAVA_6 || model.flags().has(AccessFlag.MODULE)) {
            return bytes;
        }
        return format.transformClass(
                model,
                ClassTransform.transformingMethodBodies(CodeTransform.ACCEPT_ALL)
                        .andThen(ClassTransform.endHandler(made -> made.withVersion(JAVA_8, 0))));
    }

    private static InputStream open(JarFile jar, ClassDesc type) {
        String descriptor = type.descriptorString();
        JarEntry entry = jar.getJarEntry(descriptor.substring(1, descriptor.length() - 1) + ".class");
        try {
            return entry == null ? null : jar.getInputStream(entry);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
