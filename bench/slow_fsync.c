/* Make fsync and fdatasync take SLOW_FSYNC_MS and do nothing else; write one byte to SLOW_FSYNC_LOG for each. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int slow_sync(void)
{
    const char *text = getenv("SLOW_FSYNC_MS"), *log = getenv("SLOW_FSYNC_LOG");
    long ms = text ? atol(text) : 0;
    if (log) {
        int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (fd >= 0) {
            if (write(fd, ".", 1) < 0) { /* the count is only a check */ }
            close(fd);
        }
    }
    struct timespec wait = { ms / 1000, (ms % 1000) * 1000000L };
    if (ms > 0) nanosleep(&wait, NULL);
    return 0;
}

int fsync(int fd) { (void)fd; return slow_sync(); }
int fdatasync(int fd) { (void)fd; return slow_sync(); }
