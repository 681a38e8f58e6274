/* libmodbus: blocking contexts shared out over threads, one read in flight per thread.
 * usage: libmodbus_client PORT CONNECTIONS REQUESTS COUNT THREADS
 * build: gcc -O2 -o libmodbus_client libmodbus_client.c $(pkg-config --cflags --libs libmodbus) -lpthread
 */
#define _GNU_SOURCE
#include "figures.h"
#include <modbus.h>
#include <pthread.h>

static int requests, count;

typedef struct {
    modbus_t **first;
    int connections;
} share;

static void *walk(void *argument) {
    const share *mine = argument;
    uint16_t registers[125];
    for (int round = 0; round < requests; round++)
        for (int i = 0; i < mine->connections; i++) {
            if (modbus_read_registers(mine->first[i], 0, count, registers) != count) {
                perror("read");
                exit(1);
            }
            expect(registers, count);
        }
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 6) return 2;
    int port = atoi(argv[1]), connections = atoi(argv[2]), threads = atoi(argv[5]);
    requests = atoi(argv[3]);
    count = atoi(argv[4]);
    raise_file_limit();

    long rss = rss_kib();
    double start = cpu_s();
    modbus_t **contexts = malloc(connections * sizeof *contexts);
    for (int i = 0; i < connections; i++) {
        contexts[i] = modbus_new_tcp("127.0.0.1", port);
        modbus_set_slave(contexts[i], 1 + i % 247);
        if (modbus_connect(contexts[i])) {
            perror("connect");
            return 1;
        }
    }
    double connect_s = cpu_s() - start;
    rss = rss_kib() - rss;

    share *shares = calloc(threads, sizeof *shares);
    pthread_t *running = calloc(threads, sizeof *running);
    start = cpu_s();
    for (int t = 0; t < threads; t++) {
        int from = (long)connections * t / threads, to = (long)connections * (t + 1) / threads;
        shares[t] = (share){contexts + from, to - from};
        pthread_create(&running[t], NULL, walk, &shares[t]);
    }
    for (int t = 0; t < threads; t++) pthread_join(running[t], NULL);
    report(connections, (long)connections * requests, connect_s, cpu_s() - start, rss);
    return 0;
}
