/**
 * The only door to the kernel: system calls through {@link java.lang.foreign}, file descriptors, memory mappings,
 * events and Unix sockets that pass descriptors. This is the one module that needs native access
 * ({@code --enable-native-access=dev.outboard.linux}).
 */
// Its reader is compiled later.
@SuppressWarnings("module")
module dev.outboard.linux {
    requires static transitive org.jspecify;

    exports dev.outboard.linux;
    exports dev.outboard.linux.uapi;
    exports dev.outboard.linux.unchecked to
            dev.outboard.memory;
}
