package dev.outboard.cli.samples;

import dev.outboard.cli.Interruption;
import dev.outboard.cli.Json;
import dev.outboard.driver.DeviceException;
import dev.outboard.driver.GpioEdges;
import dev.outboard.pci.PciFunction;
import dev.outboard.samples.idio.IdioCard;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code outboard run idio16}. */
@Command(
        name = "idio16",
        description = "Brings up a card with 16 isolated inputs and 16 outputs, shows their levels, and stays up. On a"
                + " model, or with --drive, also drives each output and waits for the edge of the input that it is"
                + " wired to.")
public final class RunIdioCommand extends RunSample<IdioCard> {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final long OUTPUTS = 0xffff;
    private static final long INPUTS = OUTPUTS << IdioCard.FIRST_INPUT;

    @Option(
            names = "--drive",
            description =
                    "Yes, drive the outputs, which are wired to the inputs; without it, only a model's are driven.")
    private boolean drive;

    /** For picocli. */
    public RunIdioCommand() {}

    @Override
    IdioCard open(PciFunction function) throws IOException {
        return IdioCard.open(function);
    }

    @Override
    void checkPresent(IdioCard card) throws IOException {
        card.checkPresent();
    }

    @Override
    Map<String, Object> show(IdioCard card) throws IOException {
        Map<String, Object> document = Json.object();
        long levels = card.get(OUTPUTS | INPUTS);
        document.put("outputs", levels & OUTPUTS);
        document.put("inputs", levels >> IdioCard.FIRST_INPUT);
        say("outputs", "0x%04x".formatted(levels & OUTPUTS));
        say("inputs", "0x%04x".formatted(levels >> IdioCard.FIRST_INPUT));
        if (drive || card.address().path().equals("model")) {
            document.put("verifiedEdges", verify(card, levels & OUTPUTS));
        }
        return document;
    }

    private int verify(IdioCard card, long before) throws IOException {
        int edges = 0;
        try (GpioEdges watch = card.watch(INPUTS)) {
            for (int line = 0; line < IdioCard.FIRST_INPUT && !Interruption.requested(); line++) {
                long changed = before ^ (1L << line);
                edges += change(card, watch, line, changed);
                edges += change(card, watch, line, before);
            }
        }
        say("edges", "verified, " + edges + " of inputs that outputs drive, by interrupt");
        return edges;
    }

    private static int change(IdioCard card, GpioEdges watch, int line, long outputs) throws IOException {
        card.set(OUTPUTS, outputs);
        GpioEdges.Edge edge = watch.await(TIMEOUT);
        boolean rising = ((outputs >> line) & 1) != 0;
        if (edge == null || edge.line() != line + IdioCard.FIRST_INPUT || edge.rising() != rising) {
            throw new DeviceException("%s: when %s %s, the edge was %s; wire each output to the input of its number"
                    .formatted(card.address(), card.lineName(line), rising ? "rose" : "fell", edge));
        }
        return 1;
    }
}
