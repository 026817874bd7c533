// launch FILE COMMAND [ARGUMENT...]
//
// Runs the command and writes to FILE one line: its wall seconds, CPU seconds, peak memory in KiB and exit status.
//
// A program of its own because a child starts with the peak of the process that made it: measured from Python, every
// command would use at least what Python uses.

#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static double seconds(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

static long peak_kib(const struct rusage *usage) {
#ifdef __APPLE__
    return usage->ru_maxrss / 1024;
#else
    return usage->ru_maxrss;
#endif
}

int main(int count, char **arguments) {
    if (count < 3) {
        fprintf(stderr, "usage: launch FILE COMMAND [ARGUMENT...]\n");
        return 64;
    }

    double start = now();
    pid_t child;
    int error = posix_spawnp(&child, arguments[2], NULL, NULL, arguments + 2, environ);
    if (error != 0) {
        fprintf(stderr, "launch: %s: %s\n", arguments[2], strerror(error));
        return 71;
    }
    int status;
    struct rusage usage;
    if (wait4(child, &status, 0, &usage) < 0) {
        perror("launch: wait4");
        return 71;
    }
    double end = now();

    FILE *report = fopen(arguments[1], "w");
    if (report == NULL) {
        perror(arguments[1]);
        return 73;
    }
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    fprintf(report, "%.6f %.6f %ld %d\n", end - start, seconds(usage.ru_utime) + seconds(usage.ru_stime),
            peak_kib(&usage), code);
    return fclose(report) == 0 ? code : 74;
}
