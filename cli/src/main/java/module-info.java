/** The command line, {@code outboard}. */
module dev.outboard.cli {
    requires static transitive org.jspecify;
    requires dev.outboard.nvme;
    requires dev.outboard.samples;
    requires dev.outboard.emulation;
    requires dev.outboard.peripherals;
    requires info.picocli;
    requires com.fasterxml.jackson.jr.ob;

    exports dev.outboard.cli;

    opens dev.outboard.cli to
            info.picocli;
    opens dev.outboard.cli.interpose to
            info.picocli;
    opens dev.outboard.cli.nvme to
            info.picocli;
    opens dev.outboard.cli.reg to
            info.picocli;
    opens dev.outboard.cli.samples to
            info.picocli;
}
