package dev.outboard.rig;

import org.junit.jupiter.api.Assumptions;

/** Skips a test where a program is not installed, with the name of the Debian package that has it. */
final class Needs {
    private Needs() {}

    static void program(String name, String debianPackage) {
        program(new HostProgram(name, debianPackage));
    }

    static void program(HostProgram program) {
        try {
            program.find();
        } catch (RigException e) {
            Assumptions.abort(e.getMessage());
        }
    }
}
