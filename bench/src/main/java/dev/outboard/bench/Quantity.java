package dev.outboard.bench;

/**
 * One of the figures that a round has.
 *
 * @param suffix of the case's name
 * @param unit what it is in, and which way is better
 */
record Quantity(String suffix, Unit unit) {}
