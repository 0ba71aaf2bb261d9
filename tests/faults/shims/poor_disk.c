/* A file system below $POOR_DISK that has no shared maps, no reservations, no locks, no links, no rename over a name that is taken. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))

static int below(const char *path) {
    const char *poor = getenv("POOR_DISK");
    return poor && !strncmp(path, poor, strlen(poor));
}

static int poor(int fd) {
    char link[64], path[4096];
    if (fd < 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return below(path);
}

static int fails(int error) {
    errno = error;
    return -1;
}

void *mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset) {
    if (flags & MAP_SHARED && poor(fd)) {
        errno = ENODEV;
        return MAP_FAILED;
    }
    return REAL("mmap", void *(*)(void *, size_t, int, int, int, off_t))(at, size, prot, flags, fd, offset);
}
void *mmap64(void *at, size_t size, int prot, int flags, int fd, off_t offset) {
    return mmap(at, size, prot, flags, fd, offset);
}

int posix_fallocate(int fd, off_t offset, off_t size) {
    if (poor(fd)) return EOPNOTSUPP;
    return REAL("posix_fallocate", int (*)(int, off_t, off_t))(fd, offset, size);
}
int posix_fallocate64(int fd, off_t offset, off_t size) { return posix_fallocate(fd, offset, size); }

int flock(int fd, int how) {
    return poor(fd) ? fails(ENOLCK) : REAL("flock", int (*)(int, int))(fd, how);
}

static int locks(int command) {
    return command == F_SETLK || command == F_SETLKW || command == F_GETLK || command == F_OFD_SETLK || command == F_OFD_SETLKW;
}
int fcntl(int fd, int command, ...) {
    va_list more;
    va_start(more, command);
    void *what = va_arg(more, void *);
    va_end(more);
    return locks(command) && poor(fd) ? fails(ENOLCK) : REAL("fcntl", int (*)(int, int, void *))(fd, command, what);
}
int fcntl64(int fd, int command, ...) {
    va_list more;
    va_start(more, command);
    void *what = va_arg(more, void *);
    va_end(more);
    return fcntl(fd, command, what);
}

int link(const char *from, const char *to) {
    return below(to) ? fails(EPERM) : REAL("link", int (*)(const char *, const char *))(from, to);
}
int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags) {
    if (below(to)) return fails(EPERM);
    return REAL("linkat", int (*)(int, const char *, int, const char *, int))(from_fd, from, to_fd, to, flags);
}

static int taken(const char *path) {
    struct stat found;
    return below(path) && !lstat(path, &found);
}
int rename(const char *from, const char *to) {
    return taken(to) ? fails(EBUSY) : REAL("rename", int (*)(const char *, const char *))(from, to);
}
int renameat(int from_fd, const char *from, int to_fd, const char *to) {
    if (taken(to)) return fails(EBUSY);
    return REAL("renameat", int (*)(int, const char *, int, const char *))(from_fd, from, to_fd, to);
}
