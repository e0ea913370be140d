package dev.outboard.rig;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The host's side of what the guest's first process, agent.sh, outboard-trace.sh and outboard-monitor.sh say on their ports. */
final class GuestProtocol implements GuestPorts.Listener {
    private record Run(int number, OutputStream out, OutputStream err, CompletableFuture<Integer> status) {}

    private final GuestPorts ports;
    private final Monitor monitor;
    private final CompletableFuture<Boolean> ready = new CompletableFuture<>();
    private int lastNumber;
    private boolean over;
    private @Nullable Run current;

    GuestProtocol(GuestPorts ports, Monitor monitor) {
        this.ports = ports;
        this.monitor = monitor;
    }

    CompletableFuture<Boolean> ready() {
        return ready;
    }

    synchronized int nextNumber() {
        return ++lastNumber;
    }

    CompletableFuture<Integer> run(int number, OutputStream out, OutputStream err) throws IOException {
        CompletableFuture<Integer> status = new CompletableFuture<>();
        synchronized (this) {
            if (over) {
                throw new RigException("The guest has ended: boot another");
            }
            current = new Run(number, out, err, status);
        }
        ports.send(Port.CONTROL, "run " + number);
        return status;
    }

    @Override
    public void output(Port port, ByteBuffer bytes) {
        Run run = running();
        // What a process left behind prints between two commands belongs to none of them.
        if (run != null) {
            try {
                OutputStream stream = port == Port.STDOUT ? run.out() : run.err();
                byte[] copy = new byte[bytes.remaining()];
                bytes.get(copy);
                stream.write(copy);
                stream.flush();
            } catch (IOException e) {
                run.status().completeExceptionally(e);
            }
        }
    }

    @Override
    public void line(Port port, String line) {
        if (port == Port.HOST) {
            answer(line);
            return;
        }
        String[] words = line.split(" ", -1);
        Run run = running();
        if (words[0].equals("ready")) {
            ready.complete(true);
        } else if (words[0].equals("failed")) {
            ready.completeExceptionally(new RigException("The guest could not set itself up"));
        } else if (words[0].equals("exit") && words.length == 3 && run != null) {
            finish(run, words[1], words[2]);
        }
    }

    @Override
    public void ended() {
        RigException failure = new RigException("The guest ended early");
        Run run;
        synchronized (this) {
            over = true;
            run = current;
        }
        ready.completeExceptionally(failure);
        if (run != null) {
            run.status().completeExceptionally(failure);
        }
    }

    private synchronized @Nullable Run running() {
        return current;
    }

    private void finish(Run run, String number, String status) {
        if (number.equals(Integer.toString(run.number()))) {
            synchronized (this) {
                current = null;
            }
            try {
                run.status().complete(Integer.parseInt(status));
            } catch (NumberFormatException e) {
                run.status().completeExceptionally(new RigException("The guest told the exit status " + status, e));
            }
        }
    }

    private void answer(String request) {
        String answer = "ok";
        try {
            switch (request) {
                case "trace on" -> monitor.trace(true);
                case "trace off" -> monitor.trace(false);
                default -> answer = monitor.execute(request);
            }
        } catch (IOException e) {
            answer = String.valueOf(e.getMessage()).replace('\n', ' ');
        }
        try {
            ports.send(Port.HOST, answer);
        } catch (IOException e) {
            // Whoever asked waits for an answer in vain; the command's own deadline ends that.
        }
    }
}
