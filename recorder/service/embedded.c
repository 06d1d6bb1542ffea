// SPDX-License-Identifier: MIT
#include "recorder/service/embedded.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOCKET_MIN 512

struct frec_recorder frec__embedded = {.socket = -1};

bool frec__embedded_is_ours(int socket)
{
	struct stat status;
	int error = errno;
	bool ours = socket >= 0 && !fstat(socket, &status) &&
		    status.st_dev == frec__embedded.device && status.st_ino == frec__embedded.inode;

	errno = error;
	return ours;
}

int frec__embedded_move_up(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, SOCKET_MIN);

	if (high < 0)
		return fd;
	close(fd);
	return high;
}

int frec__embedded_keep(int socket, const struct frec_reply *reply, bool ours)
{
	static const char *const names[] = {[FREC_REPLY_USER_EVENTS] = "user_events",
					    [FREC_REPLY_USDT] = "usdt",
					    [FREC_REPLY_SHM] = "shm"};
	struct stat status;

	socket = frec__embedded_move_up(socket);
	if (fstat(socket, &status))
		return -errno;
	frec__embedded = (struct frec_recorder){.socket = -1,
						.ours = ours,
						.pid = getpid(),
						.device = status.st_dev,
						.inode = status.st_ino,
						.transport = "unknown"};
	if (reply->transport < sizeof(names) / sizeof(names[0]) && names[reply->transport])
		frec__embedded.transport = names[reply->transport];
	memcpy(frec__embedded.transport_why, reply->transport_why,
	       sizeof(frec__embedded.transport_why));
	__atomic_store_n(&frec__embedded.socket, socket, __ATOMIC_RELEASE);
	return 0;
}

bool frec__has_key(const char *const *texts, size_t count, size_t step, const char *key,
		   size_t size)
{
	for (size_t i = 0; i < count; i++) {
		const char *other = texts[i * step];

		if (strcspn(other, "=") == size && !memcmp(other, key, size))
			return true;
	}
	return false;
}
