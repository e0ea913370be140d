package dev.outboard.rig;

import java.nio.file.Path;
import java.util.List;

/** What the first process of a guest does before it takes commands; it ends at the first step that fails. */
final class BootScript {
    private final StringBuilder text = new StringBuilder();

    private BootScript() {}

    static String of(KernelPackage kernel, List<Path> shares, List<String> modules) {
        BootScript script = new BootScript();
        script.environment();
        script.step("hostname localhost");
        script.step("ip link set lo up");
        String modulesFolder = Shell.quote("/lib/modules/" + kernel.version());
        script.step("mkdir -p " + modulesFolder);
        script.step("mount --bind %s %s".formatted(Shell.quote(kernel.modules().toString()), modulesFolder));
        for (int i = 0; i < shares.size(); i++) {
            // Without a cache, so that what a test wrote is on the host even when the guest crashes right after.
            script.step("mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=none share%d %s"
                    .formatted(i, Shell.quote(shares.get(i).toString())));
        }
        if (!modules.isEmpty()) {
            script.step("modprobe -a " + Shell.quote(modules));
        }
        return script.text.toString();
    }

    private void environment() {
        Path java = Path.of(System.getProperty("java.home"));
        step("PATH=%s:$PATH".formatted(Shell.quote(java.resolve("bin").toString())));
        step("export JAVA_HOME=" + Shell.quote(java.toString()));
        step("export HOME=" + Shell.quote(System.getProperty("user.home")));
        step("export LANG=C.UTF-8 OUTBOARD_RIG=qemu");
    }

    private void step(String command) {
        text.append(command).append(" || return 1\n");
    }
}
