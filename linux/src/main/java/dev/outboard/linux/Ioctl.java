package dev.outboard.linux;

/**
 * An ioctl request: its name and its number, computed as {@code <asm-generic/ioctl.h>} does from a direction, a type, a
 * number and the size of the structure that it carries.
 *
 * @param name the macro's name in C
 * @param number the request's number
 */
public record Ioctl(String name, long number) {
    private static final int TYPE_SHIFT = 8;
    private static final int SIZE_SHIFT = 16;
    private static final int DIRECTION_SHIFT = 30;
    private static final int WRITE = 1;
    private static final int READ = 2;

    /**
     * {@code _IO}: a request with no structure, or one that finds its size inside.
     *
     * @param name the macro's name in C
     * @param type the subsystem's character
     * @param number the request's number in the subsystem
     * @return the request
     */
    public static Ioctl io(String name, int type, int number) {
        return of(name, 0, type, number, 0);
    }

    /**
     * {@code _IOR}: the kernel fills the structure.
     *
     * @param name the macro's name in C
     * @param type the subsystem's character
     * @param number the request's number in the subsystem
     * @param struct the structure
     * @return the request
     */
    public static Ioctl ior(String name, int type, int number, Struct struct) {
        return of(name, READ, type, number, struct.byteSize());
    }

    /**
     * {@code _IOW}: the kernel reads the structure.
     *
     * @param name the macro's name in C
     * @param type the subsystem's character
     * @param number the request's number in the subsystem
     * @param struct the structure
     * @return the request
     */
    public static Ioctl iow(String name, int type, int number, Struct struct) {
        return of(name, WRITE, type, number, struct.byteSize());
    }

    /**
     * {@code _IOWR}: the kernel reads and fills the structure.
     *
     * @param name the macro's name in C
     * @param type the subsystem's character
     * @param number the request's number in the subsystem
     * @param struct the structure
     * @return the request
     */
    public static Ioctl iowr(String name, int type, int number, Struct struct) {
        return of(name, READ | WRITE, type, number, struct.byteSize());
    }

    private static Ioctl of(String name, int direction, int type, int number, long size) {
        return new Ioctl(
                name,
                ((long) direction << DIRECTION_SHIFT) | (size << SIZE_SHIFT) | ((long) type << TYPE_SHIFT) | number);
    }
}
