/**
 * Boots real Linux kernels and runs commands in them.
 *
 * <p>The way through the package: {@link dev.outboard.rig.KernelPackage} is a kernel on disk,
 * {@link dev.outboard.rig.Initramfs} what it starts from, {@link dev.outboard.rig.QemuMachine} the machine that they run
 * on, {@link dev.outboard.rig.Guest} that machine while it runs, and {@link dev.outboard.rig.GuestCommand} what it is
 * told to do.
 */
@NullMarked
package dev.outboard.rig;

import org.jspecify.annotations.NullMarked;
