// SPDX-License-Identifier: MIT
// Asks the recorders of this machine whether they want the stacks of a process.
#include "recorder/core/recorders.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/clocks.h"
#include "recorder/service/control.h"
#include "recorder/service/control_message.h"

#define SUFFIX ".sock"

static int milliseconds_to(uint64_t deadline)
{
	uint64_t now = frec__monotonic();

	return now < deadline ? (int)((deadline - now) / 1000000) : 0;
}

// Returns whether the recorder at the other end of the socket `fd` may know what the process did.
static bool may_know(int fd, const struct frec_core_process *process, bool only_root)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		return false;
	return !peer.uid || (!only_root && frec__owner_shows(&process->owner, peer.uid));
}

static void ask(struct frec_core_recorders *recorders, const char *socket,
		const struct frec_core_process *process, bool only_root)
{
	const struct frec_request request = {.kind = FREC_REQUEST_CORE,
					     .pid = (uint32_t)process->pid};
	int fd = recorders->count < FREC_CORE_RECORDERS_MAX ? frec__control_connect(socket) : -1;

	if (fd >= 0 && may_know(fd, process, only_root) && !frec__request_send(fd, &request, -1))
		recorders->fd[recorders->count++] = fd;
	else if (fd >= 0)
		close(fd);
}

// Asks the recorders that have a socket in the folder `path` whether they wait for the stacks. The
// folder must belong to `owner`, because in /tmp anybody can make a folder of that name.
static void ask_folder(struct frec_core_recorders *recorders, const char *path, uint32_t owner,
		       const struct frec_core_process *process, bool only_root)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	FREC_CLOSEDIR DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	struct stat status;

	if (!folder || fstat(fd, &status) || status.st_uid != owner)
		return;
	while ((entry = readdir(folder))) {
		size_t length = strlen(entry->d_name);
		char socket[PATH_MAX];

		if (length <= strlen(SUFFIX) ||
		    strcmp(entry->d_name + length - strlen(SUFFIX), SUFFIX) != 0)
			continue;
		snprintf(socket, sizeof(socket), "%s/%s", path, entry->d_name);
		ask(recorders, socket, process, only_root);
	}
}

// Keeps the recorders that wait for the stacks, and closes the connections of the others.
static void keep_waiting(struct frec_core_recorders *recorders, uint64_t deadline)
{
	size_t kept = 0;

	for (size_t i = 0; i < recorders->count; i++) {
		struct frec_reply reply;

		if (!frec__reply_receive(recorders->fd[i], &reply, NULL,
					 milliseconds_to(deadline)) &&
		    reply.done && reply.awaited)
			recorders->fd[kept++] = recorders->fd[i];
		else
			close(recorders->fd[i]);
	}
	recorders->count = kept;
}

void frec__core_recorders_find(struct frec_core_recorders *recorders,
			       const struct frec_core_process *process, bool only_root,
			       uint64_t deadline)
{
	static const char *const of_user[] = {"/run/user/%u/flightrec", "/tmp/flightrec-%u"};
	char path[64];

	*recorders = (struct frec_core_recorders){.count = 0};
	ask_folder(recorders, FREC_CONTROL_FOLDER, 0, process, only_root);
	for (size_t i = 0; i < sizeof(of_user) / sizeof(of_user[0]); i++) {
		snprintf(path, sizeof(path), of_user[i], process->owner.uid);
		ask_folder(recorders, path, process->owner.uid, process, only_root);
	}
	keep_waiting(recorders, deadline);
}

void frec__core_recorders_send(const struct frec_core_recorders *recorders, pid_t pid, int fd,
			       size_t missing, uint64_t deadline)
{
	const struct frec_request request = {
		.kind = FREC_REQUEST_STACKS, .pid = (uint32_t)pid, .missing = (uint32_t)missing};

	for (size_t i = 0; i < recorders->count; i++)
		(void)frec__request_send(recorders->fd[i], &request, fd);
	// If the process disappeared before the recorders have its stacks, the recorders would
	// write the snapshot without stacks. So this waits for their replies, which show that they
	// have received the stacks.
	for (size_t i = 0; i < recorders->count; i++) {
		struct frec_reply reply;

		(void)frec__reply_receive(recorders->fd[i], &reply, NULL,
					  milliseconds_to(deadline));
	}
}

void frec__core_recorders_close(struct frec_core_recorders *recorders)
{
	while (recorders->count)
		close(recorders->fd[--recorders->count]);
}
