package dev.outboard.rig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.outboard.emulation.ModelOptions;
import dev.outboard.emulation.Models;
import dev.outboard.emulation.PciModel;
import dev.outboard.emulation.VfioUserServer;
import dev.outboard.emulation.edu.EduModel;
import dev.outboard.emulation.edu.EduOptions;
import dev.outboard.emulation.idio.Idio16Model;
import dev.outboard.emulation.idio.Idio16Options;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Linux's own drivers at work on devices in Java, which QEMU's vfio-user client brings into a machine. */
@Tag("rig")
class KernelDriversOnModelsTest {
    private static final Duration LIMIT = Duration.ofMinutes(3);
    private static final String NVME = "0000:00:0b.0";
    private static final String SERIAL = "0000:00:0c.0";
    private static final String IDIO = "0000:00:0d.0";
    private static final String EDU = "0000:00:0e.0";

    /** The tools of libgpiod 1 and 2 take their arguments differently. */
    private static final String GPIO = "device=/sys/bus/pci/devices/" + IDIO + "\n" + """
            set -e
            modprobe gpio-pci-idio-16
            chip=$(basename $device/gpiochip*)
            case $(gpioget --version) in
                *v1*) get="gpioget $chip" set="gpioset $chip" watch="gpiomon --num-events=16 --format=%e_%o $chip" ;;
                *) get="gpioget --numeric -c $chip" set="gpioset -t0 -c $chip" watch="gpiomon -n16 --format=%e_%o -c $chip" ;;
            esac
            """;

    @TempDir
    private static Path directory;

    private static final List<AutoCloseable> OPEN = new ArrayList<>();
    private static Idio16Model idio;
    private static Guest guest;

    @BeforeAll
    static void boot() throws IOException {
        QemuProgram program;
        try {
            program = QemuProgram.withVfioUser();
        } catch (IOException e) {
            abort(e.getMessage());
            return;
        }
        idio = new Idio16Model(new Idio16Options(Idio16Options.Wiring.OPEN, null));
        guest = hold(QemuMachine.with(Initramfs.of(KernelPackage.obtain()))
                .program(program)
                .processors(1)
                // The rig's own serial card takes two more than the console, and the kernel makes room for four.
                .kernelOptions("8250.nr_uarts=8")
                .served(NVME, serve("nvme", Models.create("nvme", ModelOptions.parse("size=64M&serial=SERVED"))))
                .served(SERIAL, serve("serial", Models.create("serial", ModelOptions.parse(""))))
                .served(IDIO, serve("idio", idio))
                .served(EDU, serve("edu", new EduModel(EduOptions.DEFAULT)))
                .build()
                .boot(LIMIT));
    }

    private static <T extends AutoCloseable> T hold(T opened) {
        OPEN.add(opened);
        return opened;
    }

    private static Path serve(String name, PciModel model) throws IOException {
        return hold(VfioUserServer.start(hold(model), directory.resolve(name))).path();
    }

    @AfterAll
    static void close() throws Exception {
        for (AutoCloseable each : OPEN.reversed()) {
            each.close();
        }
    }

    private static String run(String script) throws IOException {
        GuestResult result = guest.run(GuestCommand.script(script), LIMIT);
        assertThat(result.status()).as(result.out() + result.err()).isZero();
        return result.out();
    }

    private static void require(String program, String debianPackage) {
        assumeTrue(
                List.of("/usr/bin/", "/usr/sbin/", "/sbin/").stream()
                        .anyMatch(folder -> Files.isExecutable(Path.of(folder + program))),
                "needs " + program + ": apt-get install " + debianPackage);
    }

    @Test
    void theNvmeDriverReadsBackWhatItWrote() throws IOException {
        String sums = run("""
                set -e
                disk=/dev/$(basename /sys/bus/pci/devices/%s/nvme/nvme*)n1
                dd if=/dev/urandom of=/tmp/data bs=1M count=16 status=none
                for size in 4k 128k 1M; do
                    dd if=/tmp/data of=$disk bs=$size oflag=direct conv=fsync status=none
                    dd if=$disk bs=$size count=16M iflag=direct,count_bytes status=none | sha256sum
                done
                sha256sum </tmp/data
                """.formatted(NVME));
        assertThat(sums.lines().distinct()).hasSize(1);
    }

    @Test
    void aFileSystemOnTheNvmeModelHoldsFiles() throws IOException {
        require("mkfs.ext4", "e2fsprogs");
        run("""
                set -e
                disk=/dev/$(basename /sys/bus/pci/devices/%s/nvme/nvme*)n1
                mkfs.ext4 -q -F -O ^has_journal $disk
                mkdir -p /tmp/mounted
                mount $disk /tmp/mounted
                cp $JAVA_HOME/lib/server/libjvm.so /tmp/mounted/
                umount /tmp/mounted
                mount -o ro $disk /tmp/mounted
                cmp $JAVA_HOME/lib/server/libjvm.so /tmp/mounted/libjvm.so
                umount /tmp/mounted
                """.formatted(NVME));
    }

    @Test
    void fioVerifiesWhatItWroteToTheNvmeModel() throws IOException {
        require("fio", "fio");
        run("""
                disk=/dev/$(basename /sys/bus/pci/devices/%s/nvme/nvme*)n1
                fio --name=verify --filename=$disk --rw=randwrite --bs=4k --size=4M --iodepth=16 --ioengine=libaio \\
                    --direct=1 --verify=crc32c --do_verify=1 --verify_fatal=1
                """.formatted(NVME));
    }

    @Test
    void nvmeCliReadsTheModelsPages() throws IOException {
        require("nvme", "nvme-cli");
        String out = run("""
                set -e
                controller=/dev/$(basename /sys/bus/pci/devices/%s/nvme/nvme*)
                nvme id-ctrl $controller
                nvme smart-log $controller
                nvme list-ns $controller
                """.formatted(NVME));
        assertThat(out).contains("SERVED").contains("critical_warning").contains("0x1");
    }

    @Test
    void theSerialDriverSendsBytesBothWays() throws IOException {
        String sums = run("""
                set -e
                set -- $(ls -d /sys/bus/pci/devices/%s/*/*/tty/* /sys/bus/pci/devices/%1$s/tty/* 2>/dev/null)
                a=/dev/${1##*/}; b=/dev/${2##*/}
                exec 3<>$a 4<>$b
                stty -F $a 115200 raw -echo crtscts; stty -F $b 115200 raw -echo crtscts
                dd if=/dev/urandom of=/tmp/there bs=3000 count=1 status=none
                dd if=/dev/urandom of=/tmp/back bs=3000 count=1 status=none
                head -c 3000 <&4 >/tmp/there.got & head -c 3000 <&3 >/tmp/back.got &
                cat /tmp/there >&3 & cat /tmp/back >&4 &
                wait
                cmp /tmp/there /tmp/there.got
                cmp /tmp/back /tmp/back.got
                echo same
                """.formatted(SERIAL));
        assertThat(sums).isEqualTo("same\n");
    }

    @Test
    void theGpioDriverDrivesTheModelsOutputs() throws IOException {
        require("gpioset", "gpiod");
        run(GPIO + "$set 0=1 5=1 15=1");
        assertThat(idio.outputs()).isEqualTo(0x8021);
        run(GPIO + "$set 5=0");
        assertThat(idio.outputs()).isEqualTo(0x8001);
    }

    @Test
    void theGpioDriverReadsTheModelsInputs() throws IOException {
        require("gpioget", "gpiod");
        idio.setInputs(0x8002);
        assertThat(run(GPIO + "$get 16 17 30 31")).isEqualTo("0 1 0 1\n");
        idio.setInputs(0);
        assertThat(run(GPIO + "$get 16 17 30 31")).isEqualTo("0 0 0 0\n");
    }

    @Test
    void anEdgeOfTheModelsInputReachesAProgram() throws IOException {
        require("gpiomon", "gpiod");
        idio.setInputs(0);
        assertThat(watch(1 << 4)).hasSize(16).contains("1_20").doesNotContain("1_21");
        assertThat(watch(0)).hasSize(16).noneMatch(event -> event.startsWith("1_"));
    }

    /**
     * Has gpiomon wait for edges, sets the inputs once it does, and returns an event for each of the 16: Linux 6.12's
     * driver takes every interrupt for one of all inputs, and calls nobody's handler for those that nobody watches, which
     * crashes the kernel.
     */
    private static List<String> watch(int inputs) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream() {
            @Override
            public synchronized void write(byte[] bytes, int offset, int length) {
                super.write(bytes, offset, length);
                if (toString(StandardCharsets.UTF_8).contains("watching")) {
                    idio.setInputs(inputs);
                }
            }
        };
        int status = guest.run(GuestCommand.script(GPIO + """
                        $watch $(seq 16 31) &
                        until gpioinfo | grep 'IIN15"* ' | grep -qE 'gpiomon|consumer='; do kill -0 $!; done
                        echo watching
                        wait $!
                        """), out, OutputStream.nullOutputStream(), LIMIT);
        assertThat(status).isZero();
        return out.toString(StandardCharsets.UTF_8).lines().skip(1).toList();
    }

    /** Through the guest's IOMMU, which QEMU hands on to the model as maps of single pages. */
    @Test
    void ourDriverReachesTheEduModelByTheGuestsVfio() throws IOException {
        Path app = Path.of(System.getProperty("outboard.root", "..")).resolve("cli/target/app");
        String out = run("""
                set -e
                cd /sys/bus/pci/devices/%1$s
                echo vfio-pci >driver_override
                echo %1$s >/sys/bus/pci/drivers_probe
                java -p %2$s --enable-native-access=dev.outboard.linux -XX:TieredStopAtLevel=1 \\
                    -m dev.outboard.cli/dev.outboard.cli.Main run edu --device vfio:%1$s >/tmp/edu 2>&1 &
                until grep -q 'is up' /tmp/edu; do kill -0 $! || { cat /tmp/edu; exit 1; }; sleep 0.2; done
                kill $!
                wait $! || true
                cat /tmp/edu
                """.formatted(EDU, app.toAbsolutePath().normalize()));
        assertThat(out).contains("12!             479001600").contains("DMA             verified, 16384 bytes");
    }
}
