/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delay.c: a server that is far away, without a kernel that can delay packets and without rights: a
 * relay on loopback that hands on what comes so many milliseconds later, each way. What a client
 * sends first waits two ways more, because it would have had to wait for TCP's handshake. It ends
 * when its standard input does, so that it cannot outlive who started it.
 *
 *   delay LISTEN-PORT PORT MILLISECONDS        one way; prints a line when it listens
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAIRS_MAX 2000
#define PIECE_OCTETS 16384
/* More than two ways' worth of what BRSKI sends; who sends more waits. */
#define QUEUE_OCTETS (256 * 1024)

/* What came at once and is not handed on yet. len 0: the sender will send no more. */
typedef struct piece_t {
    struct piece_t *next;
    double due;
    size_t len, sent;
    char text[];
} piece_t;

/* One direction of a connection. */
typedef struct way_t {
    int from, to;
    int ended;                    /* no more is read */
    int done;                     /* and all of it was handed on */
    size_t queued;
    piece_t *first, *last;
} way_t;

typedef struct pair_t {
    int client, server;
    double opened;
    way_t ways[2];                /* to the server, to the client */
} pair_t;

static pair_t *pairs[PAIRS_MAX];
static int count;
static double delay;

static double now_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
    fprintf(stderr, "delay: %s: %s\n", what, strerror(errno));
    exit(1);
}

static struct sockaddr_in loopback(const char *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET };

    a.sin_port = htons((unsigned short)atoi(port));
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

static int new_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    if (fd < 0) {
        die("socket");
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    return fd;
}

/* The relay adds its own delay, and none of TCP's. */
static void make_ready(int fd)
{
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* ---- pieces ---- */

static void push(way_t *w, const char *text, size_t len, double due)
{
    piece_t *p = malloc(sizeof(*p) + len);

    if (!p) {
        die("memory");
    }
    p->next = NULL;
    p->due = due;
    p->len = len;
    p->sent = 0;
    memcpy(p->text, text, len);
    if (w->first) {
        w->last->next = p;
    }
    else {
        w->first = p;
    }
    w->last = p;
    w->queued += len;
}

static void drop(way_t *w)
{
    piece_t *p = w->first;

    w->first = p->next;
    w->queued -= p->len;
    free(p);
}

/* When what comes now is due on the other side. */
static double due_at(const pair_t *pair, const way_t *w, double now)
{
    double earliest = w == &pair->ways[0] ? pair->opened + 2 * delay : 0;

    return (now > earliest ? now : earliest) + delay;
}

static void take_in(pair_t *pair, way_t *w, double now)
{
    char text[PIECE_OCTETS];
    ssize_t got = read(w->from, text, sizeof(text));

    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    w->ended = got <= 0;
    push(w, text, got > 0 ? (size_t)got : 0, due_at(pair, w, now));
}

static void hand_on(way_t *w, double now)
{
    while (w->first && w->first->due <= now) {
        piece_t *p = w->first;
        ssize_t sent = p->len ? write(w->to, p->text + p->sent, p->len - p->sent) : 0;

        if (sent < 0 && errno != EAGAIN && errno != EINTR) {
            w->ended = w->done = 1;
            return;
        }
        p->sent += sent > 0 ? (size_t)sent : 0;
        if (p->sent < p->len) {
            return;
        }
        if (!p->len) {
            shutdown(w->to, SHUT_WR);
            w->done = 1;
        }
        drop(w);
    }
}

/* ---- connections ---- */

static void open_pair(int listener, const char *port)
{
    struct sockaddr_in there = loopback(port);
    int client = accept(listener, NULL, NULL);
    pair_t *pair;

    if (client < 0) {
        return;
    }
    pair = calloc(1, sizeof(*pair));
    if (!pair) {
        die("memory");
    }
    pair->client = client;
    pair->server = new_socket();
    pair->opened = now_seconds();
    if (connect(pair->server, (struct sockaddr *)&there, sizeof(there)) != 0) {
        close(pair->client);
        close(pair->server);
        free(pair);
        return;
    }
    make_ready(client);
    make_ready(pair->server);
    pair->ways[0] = (way_t){ .from = client, .to = pair->server };
    pair->ways[1] = (way_t){ .from = pair->server, .to = client };
    pairs[count++] = pair;
}

static void close_pair(int i)
{
    pair_t *pair = pairs[i];
    int side;

    for (side = 0; side < 2; side++) {
        while (pair->ways[side].first) {
            drop(&pair->ways[side]);
        }
    }
    close(pair->client);
    close(pair->server);
    free(pair);
    pairs[i] = pairs[--count];
}

/* ---- the loop ---- */

static short events_of(const way_t *in, const way_t *out, double now)
{
    short events = 0;

    if (!in->ended && in->queued < QUEUE_OCTETS) {
        events |= POLLIN;
    }
    if (out->first && out->first->due <= now) {
        events |= POLLOUT;
    }
    return events;
}

/* poll() counts in milliseconds: too late by less than one. */
static int patience(double now)
{
    double until = now + 1;
    int i, side;

    for (i = 0; i < count; i++) {
        for (side = 0; side < 2; side++) {
            const piece_t *p = pairs[i]->ways[side].first;

            if (p && p->due > now && p->due < until) {
                until = p->due;
            }
        }
    }
    return (int)((until - now) * 1000) + 1;
}

static void set_up(struct pollfd *fds, int listener, double now)
{
    int i;

    fds[0] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
    fds[1] = (struct pollfd){ .fd = count < PAIRS_MAX ? listener : -1, .events = POLLIN };
    for (i = 0; i < count; i++) {
        pair_t *p = pairs[i];
        short client = events_of(&p->ways[0], &p->ways[1], now);
        short server = events_of(&p->ways[1], &p->ways[0], now);

        /* a side that waits for its time must not wake us by having hung up */
        fds[2 + 2 * i] = (struct pollfd){ .fd = client ? p->client : -1, .events = client };
        fds[3 + 2 * i] = (struct pollfd){ .fd = server ? p->server : -1, .events = server };
    }
}

static void serve(const struct pollfd *fds, double now)
{
    int i;

    for (i = count - 1; i >= 0; i--) {
        pair_t *p = pairs[i];

        if (!p->ways[0].ended && (fds[2 + 2 * i].revents & (POLLIN | POLLHUP | POLLERR))) {
            take_in(p, &p->ways[0], now);
        }
        if (!p->ways[1].ended && (fds[3 + 2 * i].revents & (POLLIN | POLLHUP | POLLERR))) {
            take_in(p, &p->ways[1], now);
        }
        hand_on(&p->ways[0], now);
        hand_on(&p->ways[1], now);
        if (p->ways[0].done && p->ways[1].done) {
            close_pair(i);
        }
    }
}

static int listen_on(const char *port)
{
    struct sockaddr_in here = loopback(port);
    int fd = new_socket();

    if (bind(fd, (struct sockaddr *)&here, sizeof(here)) != 0 || listen(fd, 511) != 0) {
        die(port);
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return fd;
}

int main(int argc, char **argv)
{
    static struct pollfd fds[2 + 2 * PAIRS_MAX];
    int listener;

    if (argc != 4) {
        fprintf(stderr, "usage: delay LISTEN-PORT PORT MILLISECONDS\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    delay = atof(argv[3]) / 1000;
    listener = listen_on(argv[1]);
    puts("listening");
    fflush(stdout);
    for (;;) {
        double now = now_seconds();

        set_up(fds, listener, now);
        if (poll(fds, 2 + 2 * (nfds_t)count, patience(now)) < 0 && errno != EINTR) {
            die("poll");
        }
        if (fds[0].revents) {
            return 0;
        }
        serve(fds, now_seconds());
        if (fds[1].revents) {
            open_pair(listener, argv[2]);
        }
    }
}
