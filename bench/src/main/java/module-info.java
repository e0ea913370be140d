/** Comparisons of each hot path with what a user would pick instead, and microbenchmarks. */
module dev.outboard.bench {
    requires static transitive org.jspecify;
    requires dev.outboard.cli;
    requires dev.outboard.emulation;
    requires dev.outboard.nvme;
    requires info.picocli;
    requires java.management;
    // bench/jmh runs the benchmarks from the class path: a module cannot hold the classes that JMH generates for
    // others.
    requires static jmh.core;
    requires com.fasterxml.jackson.jr.ob;

    exports dev.outboard.bench;

    opens dev.outboard.bench to
            info.picocli;
}
