/**
 * The driver model that authors write to: device addresses, errors, interrupts, and the device classes that drivers
 * publish.
 */
module dev.outboard.driver {
    requires static transitive org.jspecify;
    requires transitive dev.outboard.memory;

    exports dev.outboard.driver;
}
