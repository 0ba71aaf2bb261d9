/* A wall clock that is moved: $CLOCK_START is the time it begins at (s since 1970), `move_clock(s)` sets it, `stop_clock(1)` lets it stand.
   The boot clock and the monotonic one go on undisturbed, as the kernel's do. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long long moved_ns, stands_at_ns;
static int stands, begun;

static long long real_ns(void) {
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static long long wall_ns(void) {
    if (!begun) {
        begun = 1;
        const char *start = getenv("CLOCK_START");
        if (start) moved_ns = atoll(start) * 1000000000LL - real_ns();
    }
    return stands ? stands_at_ns : real_ns() + moved_ns;
}

void move_clock(long long by_s) { moved_ns += by_s * 1000000000LL; }

void stop_clock(int stop) {
    stands_at_ns = wall_ns();
    stands = stop;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) return syscall(SYS_clock_gettime, clock, now);
    long long ns = wall_ns();
    now->tv_sec = ns / 1000000000LL;
    now->tv_nsec = ns % 1000000000LL;
    if (now->tv_nsec < 0) now->tv_sec--, now->tv_nsec += 1000000000L;
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec found;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &found);
    now->tv_sec = found.tv_sec;
    now->tv_usec = found.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *into) {
    struct timespec found;
    clock_gettime(CLOCK_REALTIME, &found);
    if (into) *into = found.tv_sec;
    return found.tv_sec;
}
