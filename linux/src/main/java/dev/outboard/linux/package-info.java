/**
 * Linux system calls in three tiers: the C function ({@code Libc}), the handle that owns what it returns
 * ({@link dev.outboard.linux.Fd}, {@link dev.outboard.linux.EventFd}, {@link dev.outboard.linux.UnixSocket}, …), and
 * what it means.
 *
 * <p>A call that fails throws {@link dev.outboard.linux.LinuxException}. Nothing here is for virtual threads: a blocking
 * system call pins its carrier thread.
 */
@NullMarked
package dev.outboard.linux;

import org.jspecify.annotations.NullMarked;
