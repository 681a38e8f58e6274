/* What every C client reports: CPU time and memory of its own process. */
#ifndef FIGURES_H
#define FIGURES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static double cpu_s(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_utime.tv_sec + u.ru_utime.tv_usec / 1e6 + u.ru_stime.tv_sec + u.ru_stime.tv_usec / 1e6;
}

static long rss_kib(void) {
    long total, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file) {
        if (fscanf(file, "%ld %ld", &total, &resident) != 2) resident = 0;
        fclose(file);
    }
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void raise_file_limit(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void report(long connections, long requests, double connect_s, double requests_s, long rss) {
    printf("{\"cpu_us\": %.4f, \"connect_us\": %.4f, \"rss_kib\": %.3f}\n",
           requests_s * 1e6 / requests, connect_s * 1e6 / connections, (double)rss / connections);
}

/* Every register holds its own number; if the last one does not, something else was decoded. */
static void expect(const uint16_t *registers, int count) {
    if (registers[count - 1] != count - 1) {
        fprintf(stderr, "wrong registers\n");
        exit(1);
    }
}

#endif
