// SPDX-License-Identifier: MIT
// Speaks the kernel's part of the protocol in include/uapi/linux/coredump.h, which Debian 12's
// headers do not have.
#include "recorder/core/socket.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/cleanup.h"

struct request {
	uint32_t size, answer_size;
	uint64_t offered;
};

struct answer {
	uint32_t size, spare;
	uint64_t chosen;
};

// What the server may choose: exactly one of the first three, and the last.
#define SEND_IT 1u
#define SERVER_WRITES_IT 2u
#define REJECT_IT 4u
#define WAIT_FOR_ME 8u
#define OFFERED 15u

// What we say to the answer, in one byte.
enum { ACCEPTED, TOO_SMALL, TOO_LARGE, UNKNOWN_CHOICE, CONFLICTING_CHOICES };

static int send_all(int server, const void *data, size_t size)
{
	while (size) {
		ssize_t n = send(server, data, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data = (const char *)data + n;
		size -= (size_t)n;
	}
	return 0;
}

static uint8_t judge(const struct answer *answer)
{
	uint64_t what = answer->chosen & ~(uint64_t)WAIT_FOR_ME;

	if (answer->size < sizeof(*answer))
		return TOO_SMALL;
	if (answer->size > sizeof(*answer))
		return TOO_LARGE;
	if (answer->chosen & ~(uint64_t)OFFERED)
		return UNKNOWN_CHOICE;
	return what == SEND_IT || what == SERVER_WRITES_IT || what == REJECT_IT
		       ? ACCEPTED
		       : CONFLICTING_CHOICES;
}

// Asks the server what it wants. Returns 0 or a negative errno.
static int negotiate(int server, uint64_t *ret_chosen)
{
	const struct request request = {sizeof(request), sizeof(struct answer), OFFERED};
	struct answer answer = {0};
	uint8_t judgement;
	ssize_t n;
	int r = send_all(server, &request, sizeof(request));

	if (r)
		return r;
	do {
		n = recv(server, &answer, sizeof(answer), MSG_WAITALL);
	} while (n < 0 && errno == EINTR);
	if (n < (ssize_t)sizeof(answer.size))
		return n < 0 ? -errno : -EPROTO;
	judgement = judge(&answer);
	r = send_all(server, &judgement, sizeof(judgement));
	if (r || judgement != ACCEPTED || n != sizeof(answer))
		return r ? r : -EPROTO;
	*ret_chosen = answer.chosen;
	return 0;
}

// Sends everything from a file or pipe. A server that closes its socket early does no wrong.
static int feed(int from, int server)
{
	static char buffer[65536];

	for (;;) {
		ssize_t n = read(from, buffer, sizeof(buffer));
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : 0;
		r = send_all(server, buffer, (size_t)n);
		if (r)
			return r == -EPIPE || r == -ECONNRESET ? 0 : r;
	}
}

static void wait_for_end(int server)
{
	char byte;

	shutdown(server, SHUT_WR);
	for (;;) {
		ssize_t n = recv(server, &byte, 1, 0);

		if (!n || (n < 0 && errno != EINTR))
			return;
	}
}

int frec__core_socket_send(const char *pattern, int kept, int source, struct frec_error *reterr)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	bool asks = pattern[1] == '@';
	const char *path = pattern + 1 + asks;
	uint64_t chosen = SEND_IT;
	int r = 0;

	FREC_CLOSE int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (server < 0 || strlen(path) >= sizeof(address.sun_path))
		return frec__error(reterr, -EINVAL, "kernel.core_pattern was \"%s\": no socket",
				   pattern);
	strcpy(address.sun_path, path);
	if (connect(server, (const struct sockaddr *)&address, sizeof(address)))
		return frec__error(reterr, -errno,
				   "%s: %s: the core dump is lost: is its server running?", path,
				   strerror(errno));
	if (asks)
		r = negotiate(server, &chosen);
	if (!r && chosen & SEND_IT) {
		r = feed(kept, server);
		if (!r)
			r = feed(source, server);
	}
	if (!r && chosen & WAIT_FOR_ME)
		wait_for_end(server);
	return r ? frec__error(reterr, r, "%s: the core dump was cut: %s", path, strerror(-r)) : 0;
}
