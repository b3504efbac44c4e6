/* The process is killed at the $KILL_AT-th of the calls that change a directory, or bring something
   to the disk; how many there were is in the file $KILL_COUNT. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int calls;

static void step(void)
{
    const char *at = getenv("KILL_AT");

    calls++;
    if (at != NULL && atoi(at) == calls)
        kill(getpid(), SIGKILL);
}

__attribute__((destructor)) static void tell(void)
{
    const char *name = getenv("KILL_COUNT");
    FILE *file;

    if (name != NULL && calls > 0 && (file = fopen(name, "w")) != NULL) {
        fprintf(file, "%d\n", calls);
        fclose(file);
    }
}

#define CALL(result, name, parameters, arguments) \
    result name parameters \
    { \
        static result (*real) parameters; \
        if (real == NULL) \
            real = (result (*) parameters)dlsym(RTLD_NEXT, #name); \
        step(); \
        return real arguments; \
    }

CALL(int, rename, (const char *from, const char *to), (from, to))
CALL(int, mkdir, (const char *path, mode_t mode), (path, mode))
CALL(int, unlink, (const char *path), (path))
CALL(int, unlinkat, (int fd, const char *path, int flags), (fd, path, flags))
CALL(int, rmdir, (const char *path), (path))
CALL(int, fsync, (int fd), (fd))

int open64(const char *path, int flags, ...)
{
    static int (*real)(const char *, int, ...);
    va_list more;
    mode_t mode;

    va_start(more, flags);
    mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    if (real == NULL)
        real = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open64");
    if (flags & O_CREAT)
        step();
    return real(path, flags, mode);
}
