/* A Modbus TCP responder that costs little: one thread, epoll, any unit id, on a free port of
 * 127.0.0.1 that it prints, or as many ports as its argument says. Functions 3 and 4: register i
 * holds its own number i. Anything else is exception 1. Ends when its standard input does. With
 * a second argument it never sleeps, so that whoever sends to it does not have to wake its core.
 * build: gcc -O2 -o responder responder.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 4096, LONGEST_REPLY = 260, EVENTS = 512, PORTS = 8192 };

typedef struct {
    int fd, held;
    uint8_t buffer[BUFFER];
} connection;

static int answer(const uint8_t *in, int length, uint8_t *out) {
    uint8_t function = in[0];
    unsigned address = 0, count = 0;
    if (length >= 5) {
        address = in[1] << 8 | in[2];
        count = in[3] << 8 | in[4];
    }
    if ((function != 3 && function != 4) || count < 1 || count > 125) {
        out[0] = function | 0x80;
        out[1] = 1;
        return 2;
    }
    out[0] = function;
    out[1] = 2 * count;
    for (unsigned i = 0; i < count; i++) {
        out[2 + 2 * i] = (address + i) >> 8;
        out[3 + 2 * i] = address + i;
    }
    return 2 + 2 * count;
}

static void watch(int poll, int fd, void *what) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
}

static void accept_all(int poll, int listener) {
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        connection *c = calloc(1, sizeof *c);
        c->fd = fd;
        watch(poll, fd, c);
    }
}

static void serve(connection *c) {
    static uint8_t out[BUFFER / 8 * LONGEST_REPLY];
    ssize_t got = recv(c->fd, c->buffer + c->held, BUFFER - c->held, 0);
    if (got <= 0) {
        if (got < 0 && errno == EAGAIN) return;
        close(c->fd);
        free(c);
        return;
    }
    c->held += got;
    int at = 0, size = 0;
    while (c->held - at >= 8) {
        const uint8_t *frame = c->buffer + at;
        int length = frame[4] << 8 | frame[5];
        if (c->held - at < 6 + length) break;
        int pdu = answer(frame + 7, length - 1, out + size + 7);
        memcpy(out + size, frame, 4);
        out[size + 4] = (pdu + 1) >> 8;
        out[size + 5] = pdu + 1;
        out[size + 6] = frame[6];
        size += 7 + pdu;
        at += 6 + length;
    }
    if (at) memmove(c->buffer, c->buffer + at, c->held - at);
    c->held -= at;
    if (size) send(c->fd, out, size, MSG_NOSIGNAL);
}

static int listeners[PORTS];

int main(int argc, char **argv) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    signal(SIGPIPE, SIG_IGN);

    int poll = epoll_create1(0), ports = argc > 1 ? atoi(argv[1]) : 1;
    if (ports < 1 || ports > PORTS) return 2;
    for (int n = 0; n < ports; n++) {
        struct sockaddr_in address = {.sin_family = AF_INET};
        socklen_t size = sizeof address;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        listeners[n] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (bind(listeners[n], (void *)&address, size) || listen(listeners[n], 4096) ||
            getsockname(listeners[n], (void *)&address, &size)) {
            perror("listen");
            return 1;
        }
        watch(poll, listeners[n], &listeners[n]);
        printf(n ? " %d" : "%d", ntohs(address.sin_port));
    }
    watch(poll, STDIN_FILENO, NULL);
    printf("\n");
    fflush(stdout);

    struct epoll_event events[EVENTS];
    int wait = argc > 2 ? 0 : -1;
    for (;;) {
        int ready = epoll_wait(poll, events, EVENTS, wait);
        for (int e = 0; e < ready; e++) {
            int *listener = events[e].data.ptr;
            if (listener == NULL) return 0;
            if (listener >= listeners && listener < listeners + PORTS) accept_all(poll, *listener);
            else serve(events[e].data.ptr);
        }
    }
}
