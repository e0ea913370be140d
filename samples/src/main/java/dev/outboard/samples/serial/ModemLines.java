package dev.outboard.samples.serial;

/**
 * What the other end says besides characters.
 *
 * @param clearToSend its RTS: it can receive
 * @param dataSetReady its DTR: it is there
 * @param ring its bell
 * @param carrier it hears somebody
 */
public record ModemLines(boolean clearToSend, boolean dataSetReady, boolean ring, boolean carrier) {}
