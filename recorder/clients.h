/* SPDX-License-Identifier: MIT */
/* The connections of clients to a recorder, with their processes and users. */
#ifndef FREC_RECORDER_CLIENTS_H
#define FREC_RECORDER_CLIENTS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each user has a share of them (share.h). */
#define FREC_CLIENTS_MAX 256

struct frec_client {
	int fd;
	/* from SO_PEERCRED; pid 0: the process is not visible in the recorder's pid namespace */
	uint32_t pid, uid;
	/* Of the process that connected, or -1 if it ended before its connection was accepted. Its
	 * pid may belong to another process since. */
	int pidfd;
	uint64_t life; /* frec_process.life of that process, once it has attached */
	/* Who sent the last request: the client, or a process that the client forked and that
	 * inherited its socket. What a client may ask for does not depend on this. */
	uint32_t from_pid, from_uid;
	bool trusted; /* root, or the user that the recorder runs as */
	bool attached;
	bool life_line; /* the connection to the service that started the recorder */
	bool stopped;	/* the client asked the recorder to end */
	/* numbers of held-back snapshots, or 0: of the one that the client waits for, and of the
	 * last one that it asked for without waiting */
	uint64_t held, held_unanswered;
	uint32_t core_pid; /* the dying process whose stacks the client announced, or 0 */
	int notices;	   /* our end of the socket on which the client reads notices, or -1 */
	/* notices that had no room in that socket since the last notice that had */
	uint32_t missed;
	char last_path[PATH_MAX]; /* path of the last snapshot that the client triggered */
};

struct frec_clients {
	size_t count;
	struct frec_client *client[FREC_CLIENTS_MAX];
};

/* Takes over a connected socket, and closes it on failure. Returns 0 or -EAGAIN, for example if
 * there is no room for another client, or for another of the same user. */
int frec__clients_add(struct frec_clients *clients, int fd, bool life_line);

/* Returns whether the process that connected still has its pid. Processes that inherited the
 * connection may go on using it without that process. */
bool frec__client_is_there(const struct frec_client *client);

/* Closes the connection at the index `at`. The last connection moves to that index. */
void frec__clients_remove(struct frec_clients *clients, size_t at);

#endif
