# Sourced by outboard, test and bench/compare: finds a JDK, gets packages, builds.
# shellcheck shell=sh

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# Puts a JDK of version 25 or later into JAVA_HOME, and its version into jdk_release: the one that is there already, else the newest that is installed.
find_jdk() {
    best=
    best_version=24
    for home in "${JAVA_HOME:-}" /usr/lib/jvm/* /opt/jdk* /opt/java/* "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/*; do
        [ -x "$home/bin/javac" ] && [ -r "$home/release" ] || continue
        release=
        while IFS='="' read -r key _ value _; do
            [ "$key" != JAVA_VERSION ] || release=$value
        done <"$home/release"
        version=${release%%[!0-9]*}
        [ -n "$version" ] && [ "$version" -gt "$best_version" ] || continue
        best=$home
        best_version=$version
        best_release=$release
        # What the user chose is right if it is new enough.
        [ "$home" = "${JAVA_HOME:-}" ] && break
    done
    [ -n "$best" ] || fail "outboard needs a JDK 25: install one (Debian 13: apt-get install openjdk-25-jdk-headless;" \
        "else a Temurin or OpenJDK 25 of any kind) and set JAVA_HOME to it"
    JAVA_HOME=$best
    jdk_release=$best_release
    export JAVA_HOME
}

# need PACKAGE TEST…: installs a Debian package unless the test succeeds. On a terminal it asks first.
need() {
    package=$1
    shift
    if "$@" >/dev/null 2>&1; then
        return 0
    fi
    missing="${missing:-} $package"
}

# Installs what need found missing. Returns 1 if it cannot.
install_missing() {
    [ -n "${missing:-}" ] || return 0
    say "missing Debian packages:$missing"
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    if ! command -v apt-get >/dev/null || { [ -n "$sudo" ] && ! command -v sudo >/dev/null; }; then
        say "install them with your system's package manager"
        return 1
    fi
    if [ -t 0 ] && [ -z "${CI:-}" ]; then
        printf 'install them with apt-get? [y/N] ' >&2
        read -r answer
        case $answer in [yY]*) ;; *) return 1 ;; esac
    fi
    # shellcheck disable=SC2086 # words, on purpose
    { $sudo apt-get -q update && DEBIAN_FRONTEND=noninteractive $sudo apt-get -q install -y --no-install-recommends \
        $missing; } >&2 || return 1
    missing=
}

maven() {
    need maven command -v mvn
    install_missing || fail "Maven builds outboard: apt-get install maven"
    # Maven 3.8 of Debian calls what JDK 25 warns of.
    MAVEN_OPTS="--sun-misc-unsafe-memory-access=allow ${MAVEN_OPTS:-}" mvn -B "$@"
}

# Whether a file of the sources is newer than the last build.
stale() {
    [ -e "$1" ] || return 0
    [ -n "$(find "$root" \( -name target -o -name .git -o -name docs -o -path '*/src/test' \) -prune -o \
        \( -name '*.java' -o -name pom.xml -o -path '*/src/main/resources/*' \) -newer "$1" -print -quit)" ]
}

# Says that cli/target/app is up to date.
app_is_built() {
    rm -rf "$root/cli/target/aot"
    touch "$root/cli/target/app/.built"
}

# Builds the command's modules into cli/target/app, if they are not built. Of several that start together one builds, and
# the others wait for it.
build_app() {
    stamp=$root/cli/target/app/.built
    stale "$stamp" || return 0
    (
        if command -v flock >/dev/null; then
            flock -n 9 || { say "waiting for another build of outboard…"; flock 9; }
            stale "$stamp" || exit 0
        fi
        say "building outboard, once: about a minute…"
        (cd "$root" && maven -q -Dstyle.color=never -DskipTests -pl cli -am package >&2) || fail "outboard does not build"
        app_is_built
    ) 9<"$root/pom.xml" || exit 1
}

# The options of each JVM on cli/target/app. Serial collector: the steady state allocates nothing, and it starts fastest. Only
# one module may call C; --illegal-native-access=deny, which the tests run with, would keep modules out of AOT caches (JDK 25).
JVM_OPTIONS="-XX:+UseSerialGC -XX:-UsePerfData --enable-native-access=dev.outboard.linux"

# Makes AOT caches of cli/target/app for this JDK, from a run of some commands: $caches/outboard.aot for the command,
# $caches/emulator.aot for the processes of its emulated devices. Once: where that fails there are none, and commands start
# slower. Of several that start together one makes them, and the others do not wait.
make_caches() {
    caches=$root/cli/target/aot/$jdk_release
    # Not with sudo in another user's tree, who could not remove them.
    # shellcheck disable=SC3067 # dash, bash and busybox have -O
    [ ! -d "$caches" ] && [ -O "$root/cli/target" ] || return 0
    (
        ! command -v flock >/dev/null || flock -n 9 || exit 0
        app=$root/cli/target/app
        made=$(mkdir -p "${caches%/*}" 2>/dev/null && mktemp -d "$caches.XXXXXX" 2>/dev/null) || exit 0
        say "preparing fast starts, once: some seconds…"
        # shellcheck disable=SC2086 # words, on purpose
        {
            "$JAVA_HOME/bin/java" "$root/scripts/NewerClassFiles.java" "$app"/picocli-*.jar &&
                "$JAVA_HOME/bin/java" $JVM_OPTIONS -XX:AOTCacheOutput="$made/outboard.aot" --module-path "$app" \
                    --module dev.outboard.cli/dev.outboard.cli.StartTraining "$made/emulator.aot" || rm -f "$made"/*.aot
            chmod 755 "$made"
            mv -T "$made" "$caches" || rm -rf "$made"
        } >"$made/log" 2>&1
    ) 9<"$root/cli/pom.xml"
}
