/** What is on a machine besides PCI and USB: physical memory and I/O ports. */
module dev.outboard.peripherals {
    requires static transitive org.jspecify;
    requires transitive dev.outboard.driver;

    exports dev.outboard.peripherals;
}
