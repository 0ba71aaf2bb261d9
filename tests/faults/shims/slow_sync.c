/* A disk whose every sync takes 200 ms, and a note of who asked: "<call> <thread>\n" to the file $SYNC_LOG. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static void note(const char *call) {
    char line[64];
    int fd = open(getenv("SYNC_LOG"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return;
    int size = snprintf(line, sizeof line, "%s %ld\n", call, syscall(SYS_gettid));
    if (write(fd, line, size) != size) abort();
    close(fd);
    usleep(200000);
}

int fsync(int fd) {
    note("fsync");
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}

int fdatasync(int fd) {
    note("fdatasync");
    return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}

int msync(void *at, size_t size, int flags) {
    note("msync");
    return ((int (*)(void *, size_t, int))dlsym(RTLD_NEXT, "msync"))(at, size, flags);
}
