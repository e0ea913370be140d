package dev.outboard.memory.svd;

import dev.outboard.memory.RegisterMap;

/**
 * A peripheral of a device: a block of registers.
 *
 * @param name its name
 * @param baseAddress its physical address, in bytes
 * @param description what it is; may be empty
 * @param registers its registers, their offsets counted from the base address; clusters are part of the names, with a dot
 */
public record SvdPeripheral(String name, long baseAddress, String description, RegisterMap registers) {}
