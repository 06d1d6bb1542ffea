// SPDX-License-Identifier: MIT
// Sending notices, each in a packet.
#include "recorder/notices.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "flightrec/recorder.h"

_Static_assert(sizeof(((struct frec_notice *)0)->path) == PATH_MAX &&
		       sizeof(((struct frec_notice *)0)->name) ==
			       sizeof(((struct frec_reason *)0)->name),
	       "a notice has room for what it tells");

int frec__notices_open(struct frec_client *client)
{
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets))
		return -errno;
	// The client may only read, because nobody would ever take out what it wrote.
	shutdown(sockets[0], SHUT_RD);
	if (client->notices >= 0)
		close(client->notices);
	client->notices = sockets[0];
	client->missed = 0;
	return sockets[1];
}

// A trusted client may know of all snapshots, and any other client of the snapshots for its user.
static bool may_know(const struct frec_client *client, const struct frec_snapshot_job *job)
{
	return client->trusted || (int64_t)client->uid == job->only_uid;
}

void frec__notices_send(struct frec_clients *clients, const struct frec_snapshot_job *job,
			const char *path, int code)
{
	const struct frec_reason *reason = job->reason;
	struct frec_notice notice = {.size = sizeof(notice),
				     .error = code,
				     .pid = reason->pid ? reason->pid : reason->by_pid};

	snprintf(notice.name, sizeof(notice.name), "%s", reason->name);
	snprintf(notice.path, sizeof(notice.path), "%s", path ? path : "");
	for (size_t i = 0; i < clients->count; i++) {
		struct frec_client *client = clients->client[i];

		if (client->notices < 0 || !may_know(client, job))
			continue;
		notice.missed = client->missed;
		if (send(client->notices, &notice, sizeof(notice), MSG_DONTWAIT | MSG_NOSIGNAL) >=
		    0)
			client->missed = 0;
		else if (client->missed < UINT32_MAX)
			client->missed++;
	}
}
