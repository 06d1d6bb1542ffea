/* SPDX-License-Identifier: MIT */
/* The connections to a recorder, and whose they are. */
#ifndef FREC_RECORDER_CLIENTS_H
#define FREC_RECORDER_CLIENTS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FREC_CLIENTS_MAX 256

struct frec_client {
	int fd;
	uint32_t pid, uid; /* SO_PEERCRED; pid 0: of a process in an unknown pid namespace */
	bool trusted;	   /* root, or the user that the recorder runs as */
	bool attached;
	bool life_line;		  /* the recorder ends with this connection */
	bool stopped;		  /* it asked the recorder to end */
	uint32_t core_pid;	  /* the dying process whose stacks it announced; 0 */
	char last_path[PATH_MAX]; /* of the last snapshot that it triggered */
};

struct frec_clients {
	size_t count;
	struct frec_client *client[FREC_CLIENTS_MAX];
};

/* Takes over a connected socket, even if it fails. Returns 0, or -EAGAIN if there is no room for
 * it or for its user. */
int frec__clients_add(struct frec_clients *clients, int fd, bool life_line);

/* Closes a connection. The last one takes its index. */
void frec__clients_remove(struct frec_clients *clients, size_t at);

#endif
