package dev.outboard.rig;

import java.nio.file.Files;
import java.nio.file.Path;

/** What executes a guest's instructions. */
public enum Accelerator {
    /** QEMU's own translator: works everywhere, and times in it mean nothing. */
    TCG("tcg,thread=multi", "max,la57=off", "off"),

    /** The host's processor. Stock kernels hang in it on some hosts that are guests themselves. */
    KVM("kvm", "host", "split");

    /** The environment variable that chooses: {@code tcg} (default), {@code kvm}, or {@code auto}. */
    public static final String VARIABLE = "OUTBOARD_RIG_ACCEL";

    private static final Path KVM_DEVICE = Path.of("/dev/kvm");

    private final String option;
    private final String processor;
    private final String interruptChip;

    Accelerator(String option, String processor, String interruptChip) {
        this.option = option;
        this.processor = processor;
        this.interruptChip = interruptChip;
    }

    /**
     * The accelerator that {@link #VARIABLE} asks for.
     *
     * @return the accelerator, usable by this process
     * @throws RigException when the variable has another value, or KVM is asked for and this process may not use it
     */
    public static Accelerator chosen() throws RigException {
        String choice = System.getenv().getOrDefault(VARIABLE, "tcg");
        boolean usable = Files.isReadable(KVM_DEVICE) && Files.isWritable(KVM_DEVICE);
        return switch (choice) {
            case "tcg", "" -> TCG;
            case "auto" -> usable ? KVM : TCG;
            case "kvm" -> {
                if (!usable) {
                    throw new RigException(
                            "%s=kvm, but %s cannot be opened: add yourself to the group kvm, or unset the variable"
                                    .formatted(VARIABLE, KVM_DEVICE));
                }
                yield KVM;
            }
            default -> throw new RigException("%s=%s: use tcg, kvm or auto".formatted(VARIABLE, choice));
        };
    }

    String option() {
        return option;
    }

    String processor() {
        return processor;
    }

    String interruptChip() {
        return interruptChip;
    }
}
