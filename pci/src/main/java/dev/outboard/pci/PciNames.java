package dev.outboard.pci;

import org.jspecify.annotations.Nullable;

/**
 * What {@code pci.ids} calls a function. Names that it does not know, or that no list is here for, are null.
 *
 * @param vendor who made it
 * @param device what it is
 * @param deviceClass what kind of device it is, as exactly as is known
 */
public record PciNames(
        @Nullable String vendor,
        @Nullable String device,
        @Nullable String deviceClass) {}
