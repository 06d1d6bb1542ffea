/* SPDX-License-Identifier: MIT */
/*
 * Generates load for memcached, for which Debian has no generator: one thread, several connections,
 * one request at a time on each, nine reads for each write, over a fixed set of keys. Prints "N
 * requests in Ss".
 *
 *	services_load PORT CONNECTIONS SECONDS
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256
#define KEYS 10000
#define VALUE 100 /* bytes */
#define EVENTS 64

static unsigned long sent;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void fail(const char *what)
{
	fprintf(stderr, "services_load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void request(int fd)
{
	static unsigned int random = 1;
	char text[64 + VALUE + 4];
	int size;

	random = random * 1103515245 + 12345;
	if (sent++ % 10)
		size = snprintf(text, sizeof(text), "get key:%u\r\n", (random >> 8) % KEYS);
	else
		size = snprintf(text, sizeof(text), "set key:%u 0 0 %d\r\n%0*d\r\n",
				(random >> 8) % KEYS, VALUE, VALUE, 7);
	if (send(fd, text, (size_t)size, MSG_NOSIGNAL) != size)
		fail("send");
}

/* Returns whether a reply is complete: a value and END, or one line. Replies are small enough to
 * come in one piece, or in few. */
static int complete(const char *reply, size_t size)
{
	if (size >= 6 && !memcmp(reply, "VALUE ", 6))
		return size >= 5 && !memcmp(reply + size - 5, "END\r\n", 5);
	return size >= 2 && !memcmp(reply + size - 2, "\r\n", 2);
}

int main(int argc, char **argv)
{
	static char reply[CONNECTIONS_MAX][4096];
	static size_t have[CONNECTIONS_MAX];
	int fd[CONNECTIONS_MAX], poll = epoll_create1(0), one = 1;
	int connections = argc == 4 ? atoi(argv[2]) : 0;
	unsigned long done = 0;
	double start = now(), end;

	if (connections < 1 || connections > CONNECTIONS_MAX || poll < 0)
		return 2;
	end = start + atof(argv[3]);
	for (int i = 0; i < connections; i++) {
		struct sockaddr_in address = {.sin_family = AF_INET,
					      .sin_port = htons((uint16_t)atoi(argv[1])),
					      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};

		fd[i] = socket(AF_INET, SOCK_STREAM, 0);
		if (fd[i] < 0 || connect(fd[i], (void *)&address, sizeof(address)) ||
		    setsockopt(fd[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) ||
		    epoll_ctl(poll, EPOLL_CTL_ADD, fd[i], &event))
			fail("connect");
		request(fd[i]);
	}
	while (now() < end) {
		struct epoll_event event[EVENTS];
		int count = epoll_wait(poll, event, EVENTS, 1000);

		for (int e = 0; e < count; e++) {
			uint32_t i = event[e].data.u32;
			ssize_t size =
				recv(fd[i], reply[i] + have[i], sizeof(reply[i]) - have[i], 0);

			if (size <= 0)
				fail("recv");
			have[i] += (size_t)size;
			if (!complete(reply[i], have[i]))
				continue;
			have[i] = 0;
			done++;
			request(fd[i]);
		}
	}
	printf("%lu requests in %.3fs\n", done, now() - start);
	return 0;
}
