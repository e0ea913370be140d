/** What passed between a driver and its device, in a file: recorded, looked at, and replayed as a device. */
@NullMarked
package dev.outboard.emulation.recording;

import org.jspecify.annotations.NullMarked;
