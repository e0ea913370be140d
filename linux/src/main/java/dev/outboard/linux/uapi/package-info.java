/**
 * What the kernel's user-space headers ({@code include/uapi}) define: structures, ioctl numbers and constants, under the
 * names that they have in C. A test compiles a C program against the installed headers and compares every one.
 */
@NullMarked
package dev.outboard.linux.uapi;

import org.jspecify.annotations.NullMarked;
