package dev.outboard.samples.serial;

/**
 * What went wrong on a line so far.
 *
 * @param overruns characters lost because nobody took those before them
 * @param parity characters with a wrong parity bit
 * @param framing characters without a stop bit: other settings at the other end
 * @param breaks times that the line was held low
 */
public record SerialErrors(long overruns, long parity, long framing, long breaks) {}
