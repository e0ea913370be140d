/**
 * PCI functions that are QEMU's device models, without a guest: a QEMU of our own whose processor stands still, driven from
 * outside by its test protocol (QEMU, docs/devel/testing/qtest.rst). {@link QemuMachine} is that process, {@link Qtest} the
 * protocol, {@link HostBridge} the way to configuration space and to BARs, {@link MessageVectors} how MSIs become eventfds.
 */
@NullMarked
package dev.outboard.pci.qemu;

import org.jspecify.annotations.NullMarked;
