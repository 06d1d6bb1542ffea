// SPDX-License-Identifier: MIT
// Accepting and closing the connections of clients.
#include "recorder/clients.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/share.h"
#include "recorder/processes/process_end.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

static bool has_room(const struct frec_clients *clients, uint32_t uid)
{
	struct frec_share share = {.uid = uid};

	for (size_t i = 0; i < clients->count; i++)
		frec__share_count(&share, clients->client[i]->uid, 1);
	return frec__share_has_room(&share, 1, FREC_CLIENTS_MAX);
}

// Returns a pidfd of the process that connected, or -1 if that process has ended. The kernel knows
// which process it was since Linux 6.5; it answers -EINVAL or -ESRCH if that is gone.
static int pidfd_of(int fd, const struct ucred *peer)
{
	int pidfd;
	socklen_t size = sizeof(pidfd);

	if (!getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size))
		return pidfd;
	if (errno != ENOPROTOOPT && errno != EOPNOTSUPP)
		return -1;
	// An older kernel. The number can have been given to another process since the connection
	// was made, but the owner of such a process is asked for before anything is believed.
	return peer->pid > 0 ? (int)syscall(SYS_pidfd_open, peer->pid, 0) : -1;
}

bool frec__client_is_there(const struct frec_client *client)
{
	return client->pidfd >= 0 && !frec__pidfd_is_over(client->pidfd);
}

int frec__clients_add(struct frec_clients *clients, int socket, bool life_line)
{
	FREC_FREE struct frec_client *client = calloc(1, sizeof(*client));
	FREC_CLOSE int fd = socket;
	struct ucred peer;
	socklen_t size = sizeof(peer);
	const int on = 1;

	if (!client || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) ||
	    !has_room(clients, peer.uid))
		return -EAGAIN;
	// Without this option the kernel does not name the sender of a request, and the client
	// itself would be taken for the sender.
	setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	client->pid = (uint32_t)peer.pid;
	client->uid = peer.uid;
	client->trusted = !frec__is_stranger(peer.uid);
	client->life_line = life_line;
	client->notices = -1;
	client->pidfd = pidfd_of(fd, &peer);
	client->fd = fd;
	fd = -1;
	clients->client[clients->count++] = FREC_TAKE_PTR(client);
	return 0;
}

void frec__clients_remove(struct frec_clients *clients, size_t at)
{
	// Closing our end of this socket makes the client read an end of file, which tells the
	// client that the recorder is gone.
	if (clients->client[at]->notices >= 0)
		close(clients->client[at]->notices);
	if (clients->client[at]->pidfd >= 0)
		close(clients->client[at]->pidfd);
	close(clients->client[at]->fd);
	free(clients->client[at]);
	clients->client[at] = clients->client[--clients->count];
}
