package dev.outboard.bench;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;

/** A program that answers each line with one line, and ends at the end of its input. */
final class LineConversation implements AutoCloseable {
    private final Programs.Program program;
    private final BufferedWriter questions;
    private final BufferedReader answers;

    LineConversation(Programs.Program program) {
        this.program = program;
        questions = program.process().outputWriter();
        answers = program.process().inputReader();
    }

    String ask(String question) throws IOException {
        try {
            questions.write(question);
            questions.newLine();
            questions.flush();
        } catch (IOException e) {
            // It ended, and what it said tells more than the broken pipe.
            throw program.failure("ended");
        }
        String answer = answers.readLine();
        if (answer == null) {
            throw program.failure("ended");
        }
        return answer;
    }

    @Override
    public void close() {
        try {
            questions.close();
        } catch (IOException alreadyEnded) {
            // Then it does not read the end of its input either.
        }
    }
}
