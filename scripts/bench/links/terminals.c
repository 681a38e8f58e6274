/* Slow terminals behind one port: every unit answers after its own time, one unit never.
 * usage: terminals LEAST_MS MOST_MS MUTE; unit u waits LEAST + (u * 7 % 16) / 15 of the rest [ms].
 * Any number of connections and of requests in flight. Register i holds its own number i.
 * Prints its port; ends when its standard input does.
 * build: gcc -O2 -o terminals terminals.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 4096, REQUEST = 12, EVENTS = 512, MOST_HELD = 1 << 17 };

typedef struct { int fd, held; uint8_t buffer[BUFFER]; } connection;
typedef struct { double due; int fd; uint8_t request[REQUEST]; } reply;

static reply heap[MOST_HELD];
static int waiting;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void hold(reply one) {
    int at = waiting++;
    if (waiting == MOST_HELD) exit(3);
    for (; at && heap[(at - 1) / 2].due > one.due; at = (at - 1) / 2) heap[at] = heap[(at - 1) / 2];
    heap[at] = one;
}

static reply earliest(void) {
    reply first = heap[0], last = heap[--waiting];
    int at = 0, child;
    while ((child = 2 * at + 1) < waiting) {
        if (child + 1 < waiting && heap[child + 1].due < heap[child].due) child++;
        if (heap[child].due >= last.due) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return first;
}

static void answer(const reply *one) {
    uint8_t out[260];
    const uint8_t *in = one->request;
    unsigned address = in[8] << 8 | in[9], count = in[10] << 8 | in[11];
    if (count > 125) return;
    memcpy(out, in, 4);
    out[4] = (3 + 2 * count) >> 8;
    out[5] = 3 + 2 * count;
    out[6] = in[6];
    out[7] = in[7];
    out[8] = 2 * count;
    for (unsigned i = 0; i < count; i++) {
        out[9 + 2 * i] = (address + i) >> 8;
        out[10 + 2 * i] = address + i;
    }
    if (send(one->fd, out, 9 + 2 * count, MSG_NOSIGNAL) < 0) return;
}

int main(int argc, char **argv) {
    double least = atof(argv[1]) / 1e3, most = atof(argv[2]) / 1e3;
    int mute = argc > 3 ? atoi(argv[3]) : 0, one = 1, poll = epoll_create1(0);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof where;
    struct rlimit files;
    struct epoll_event events[EVENTS], event = {.events = EPOLLIN};
    connection input = {.fd = 0};

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    bind(listener, (struct sockaddr *)&where, size);
    listen(listener, 4096);
    getsockname(listener, (struct sockaddr *)&where, &size);
    printf("%d\n", ntohs(where.sin_port));
    fflush(stdout);
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    event.data.ptr = &input;
    epoll_ctl(poll, EPOLL_CTL_ADD, 0, &event);
    for (;;) {
        struct timespec pause = {0, 0}, *patience = NULL;
        if (waiting) {
            double left = heap[0].due - now();
            if (left > 0) {
                pause.tv_sec = (time_t)left;
                pause.tv_nsec = (long)((left - pause.tv_sec) * 1e9);
            }
            patience = &pause;
        }
        int found = epoll_pwait2(poll, events, EVENTS, patience, NULL);
        for (int i = 0; i < found; i++) {
            connection *c = events[i].data.ptr;
            if (c == NULL) {
                int fd;
                while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    c = calloc(1, sizeof *c);
                    c->fd = fd;
                    event.data.ptr = c;
                    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
                }
                continue;
            }
            int got = read(c->fd, c->buffer + c->held, BUFFER - c->held), at = 0;
            if (got <= 0) {
                if (c == &input) return 0;
                close(c->fd);
                free(c);
                continue;
            }
            for (c->held += got; c->held - at >= REQUEST; at += REQUEST) {
                reply next = {.fd = c->fd};
                int unit = c->buffer[at + 6];
                if (unit == mute) continue;
                next.due = now() + least + (most - least) * (unit * 7 % 16) / 15;
                memcpy(next.request, c->buffer + at, REQUEST);
                hold(next);
            }
            memmove(c->buffer, c->buffer + at, c->held -= at);
        }
        while (waiting && heap[0].due <= now()) {
            reply due = earliest();
            answer(&due);
        }
    }
}
