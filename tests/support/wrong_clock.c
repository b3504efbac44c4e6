/* The time of day is off by the first number of the file $WRONG_CLOCK, and nobody keeps it right.

   The file is two int64: these seconds, and the seconds that the timers of the event loop are ahead.
   The second one is for libev alone, so that what is to be done in a minute is done now. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *shift;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("WRONG_CLOCK");
    int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    void *mapped;

    if (fd < 0)
        return;
    mapped = mmap(NULL, 2 * sizeof *shift, PROT_READ, MAP_SHARED, fd, 0);
    if (mapped != MAP_FAILED)
        shift = mapped;
    close(fd);
}

static int is_event_loop(const void *caller)
{
    Dl_info info;

    return dladdr(caller, &info) && info.dli_fname != NULL && strstr(info.dli_fname, "/gevent/");
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    int failed = syscall(SYS_clock_gettime, id, now);

    if (failed || shift == NULL)
        return failed;
    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
        now->tv_sec += shift[0];
    else if (id == CLOCK_MONOTONIC && shift[1] && is_event_loop(__builtin_return_address(0)))
        now->tv_sec += shift[1];
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec exact;

    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &exact))
        return -1;
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now)
{
    struct timespec exact;

    clock_gettime(CLOCK_REALTIME, &exact);
    if (now != NULL)
        *now = exact.tv_sec;
    return exact.tv_sec;
}

int adjtimex(struct timex *asked)
{
    asked->status = STA_UNSYNC;
    return TIME_ERROR;
}
