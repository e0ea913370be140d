package dev.outboard.rig;

/**
 * What came of a command in a guest.
 *
 * @param status its exit status
 * @param out what it printed on its standard output, as UTF-8
 * @param err what it printed on its standard error, as UTF-8
 */
public record GuestResult(int status, String out, String err) {}
