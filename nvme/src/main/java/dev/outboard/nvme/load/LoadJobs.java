package dev.outboard.nvme.load;

import dev.outboard.nvme.NvmeController;
import dev.outboard.nvme.NvmeNamespace;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.HdrHistogram.Histogram;

/** Several loads at once, each on a thread, a queue pair and a part of the namespace of its own; one result. */
public final class LoadJobs implements AutoCloseable {
    private final LoadOptions options;
    private final List<LoadGenerator> jobs = new ArrayList<>();

    /**
     * Prepares the jobs.
     *
     * @param controller the controller
     * @param namespace where on it
     * @param options what each job does; limits of requests are those of all together
     * @param count how many jobs
     * @throws IllegalArgumentException if the options do not fit the namespace, or there are no jobs
     * @throws IOException if the controller refuses a queue pair or there is no memory
     */
    public LoadJobs(NvmeController controller, NvmeNamespace namespace, LoadOptions options, int count)
            throws IOException {
        if (count < 1) {
            throw new IllegalArgumentException("a load has one job at least, not " + count);
        }
        this.options = options;
        try {
            for (int i = 0; i < count; i++) {
                jobs.add(new LoadGenerator(controller, namespace, options.ofJob(i, count), i, count));
            }
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    /**
     * Runs them all.
     *
     * @return what they reached together; the time is that of the longest
     * @throws IOException if the device fails as a whole; a request that fails is counted
     */
    public LoadResult run() throws IOException {
        if (jobs.size() == 1) {
            return jobs.getFirst().run();
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(jobs.size())) {
            List<Future<LoadResult>> running = new ArrayList<>();
            for (LoadGenerator job : jobs) {
                running.add(threads.submit(job::run));
            }
            List<LoadResult> results = new ArrayList<>();
            for (Future<LoadResult> job : running) {
                results.add(result(job));
            }
            return sum(results);
        }
    }

    private LoadResult result(Future<LoadResult> job) throws IOException {
        try {
            return job.get();
        } catch (ExecutionException e) {
            stop();
            if (e.getCause() instanceof IOException failure) {
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            stop();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while the load ran", e);
        }
    }

    private LoadResult sum(List<LoadResult> results) {
        Histogram latency = jobs.getFirst().latency();
        jobs.stream().skip(1).forEach(job -> latency.add(job.latency()));
        long operations = results.stream().mapToLong(LoadResult::operations).sum();
        return new LoadResult(
                results.stream().mapToDouble(LoadResult::seconds).max().orElse(0),
                operations,
                operations * options.blockSizeBytes(),
                results.stream().mapToLong(LoadResult::errors).sum(),
                results.stream().mapToLong(LoadResult::allocatedBytes).sum(),
                results.stream().mapToLong(LoadResult::verified).sum(),
                results.stream().mapToLong(LoadResult::mismatches).sum(),
                LoadResult.Latency.of(latency),
                LoadResult.Bucket.of(latency));
    }

    /**
     * How far they are.
     *
     * @return how many requests were measured up to about now; for any thread
     */
    public long operations() {
        return jobs.stream().mapToLong(LoadGenerator::operations).sum();
    }

    /** Has {@link #run} return soon, with what was measured so far. For any thread. */
    public void stop() {
        jobs.forEach(LoadGenerator::stop);
    }

    @Override
    public void close() {
        jobs.forEach(LoadGenerator::close);
    }
}
