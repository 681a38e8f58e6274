/* The floor: bare epoll, one thread, one request in flight per connection.
 * Every reply is checked (transaction, unit, function, length) and decoded.
 * usage: epoll_client PORT CONNECTIONS REQUESTS COUNT
 * build: gcc -O2 -o epoll_client epoll_client.c
 */
#define _GNU_SOURCE
#include "figures.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { HEADER = 9, EVENTS = 512 };

typedef struct {
    int fd, unit, sent, held;
    uint16_t transaction;
    uint8_t buffer[512];
} connection;

static int count;

static void ask(connection *c) {
    uint16_t t = ++c->transaction;
    uint8_t frame[12] = {t >> 8, t, 0, 0, 0, 6, c->unit, 3, 0, 0, 0, count};
    c->sent++;
    if (send(c->fd, frame, sizeof frame, 0) != sizeof frame) {
        perror("send");
        exit(1);
    }
}

static int open_one(int port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (void *)&address, sizeof address)) {
        perror("connect");
        exit(1);
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* Take what came; give whether a whole reply is in. */
static int take(connection *c) {
    ssize_t got = recv(c->fd, c->buffer + c->held, sizeof c->buffer - c->held, 0);
    if (got == 0) {
        fprintf(stderr, "lost\n");
        exit(1);
    }
    if (got < 0) return 0;
    c->held += got;
    const uint8_t *p = c->buffer;
    if (c->held < HEADER || c->held < 6 + (p[4] << 8 | p[5])) return 0;
    if ((p[0] << 8 | p[1]) != c->transaction || p[6] != c->unit || p[7] != 3 || p[8] != 2 * count ||
        c->held != HEADER + 2 * count) {
        fprintf(stderr, "no answer to this\n");
        exit(1);
    }
    uint16_t registers[125];
    for (int i = 0; i < count; i++) registers[i] = p[HEADER + 2 * i] << 8 | p[HEADER + 1 + 2 * i];
    expect(registers, count);
    c->held = 0;
    return 1;
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    int port = atoi(argv[1]), connections = atoi(argv[2]), requests = atoi(argv[3]);
    count = atoi(argv[4]);
    raise_file_limit();

    long rss = rss_kib();
    double start = cpu_s();
    connection *all = calloc(connections, sizeof *all);
    int poll = epoll_create1(0);
    for (int i = 0; i < connections; i++) {
        all[i].fd = open_one(port);
        all[i].unit = 1 + i % 247;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
        epoll_ctl(poll, EPOLL_CTL_ADD, all[i].fd, &event);
    }
    double connect_s = cpu_s() - start;
    rss = rss_kib() - rss;

    start = cpu_s();
    for (int i = 0; i < connections; i++) ask(&all[i]);
    struct epoll_event events[EVENTS];
    for (long left = (long)connections * requests; left > 0;) {
        int ready = epoll_wait(poll, events, EVENTS, 5000);
        if (ready <= 0) {
            fprintf(stderr, "no reply\n");
            return 1;
        }
        for (int e = 0; e < ready; e++) {
            connection *c = events[e].data.ptr;
            if (!take(c)) continue;
            left--;
            if (c->sent < requests) ask(c);
        }
    }
    report(connections, (long)connections * requests, connect_s, cpu_s() - start, rss);
    return 0;
}
