// SPDX-License-Identifier: MIT
// Packets on the control socket of a recorder. Part of libflightrec, so it depends on libc alone.
#include "recorder/service/control.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CONNECT_TIMEOUT 10 /* seconds */

int frec__control_connect(const char *path)
{
	const struct timeval patience = {.tv_sec = CONNECT_TIMEOUT};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, r;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	// A recorder that hangs while its queue of connections is full must not make its clients
	// hang.
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

bool frec__trigger_name_valid(const char *name)
{
	size_t length = 0;

	for (; name[length]; length++) {
		if (length == FREC_TRIGGER_NAME_MAX || name[length] < ' ' || name[length] > '~')
			return false;
	}
	return length > 0;
}

int frec__control_send(int socket, const void *data, size_t size, int fd)
{
	const struct iovec piece = {.iov_base = (void *)data, .iov_len = size};

	return frec__control_send_pieces(socket, &piece, 1, fd);
}

int frec__control_send_pieces(int socket, const struct iovec *pieces, size_t count, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr header = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = count};
	int error = errno, r = 0;

	if (fd >= 0) {
		header.msg_control = &control;
		header.msg_controllen = sizeof(control);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
	}
	if (sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		r = -errno;
	errno = error;
	return r;
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

// A signal does not restart the timeout, because a service whose timers send signals all the time
// would then wait for ever.
static int wait_readable(struct pollfd *poller, int milliseconds)
{
	int64_t deadline = now() + milliseconds;

	for (;;) {
		int64_t left = milliseconds < 0 ? -1 : deadline - now();
		int r = poll(poller, 1, milliseconds >= 0 && left < 0 ? 0 : (int)left);

		if (r > 0)
			return 0;
		if (!r)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

// Closes a descriptor that another process sent. If the descriptor is a socket with SO_LINGER,
// close(2) alone would wait for the socket's peer.
static void close_foreign(int fd)
{
	const struct linger none = {0};

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(fd);
}

// Returns the first descriptor of a message, or -1 if it has none. Closes any others, which would
// otherwise stay open.
static int take_descriptor(const struct cmsghdr *rights)
{
	size_t count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	int fd = -1;

	while (count-- > 0) {
		close_foreign(fd);
		memcpy(&fd, CMSG_DATA(rights) + count * sizeof(int), sizeof(int));
	}
	return fd;
}

ssize_t frec__control_receive(int socket, void *data, size_t size, int *ret_fd, int milliseconds)
{
	struct ucred sender;

	return frec__control_receive_from(socket, data, size, ret_fd, &sender, milliseconds);
}

ssize_t frec__control_receive_from(int socket, void *data, size_t size, int *ret_fd,
				   struct ucred *ret_sender, int milliseconds)
{
	struct iovec vector = {.iov_base = data, .iov_len = size};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct msghdr header = {.msg_iov = &vector,
				.msg_iovlen = 1,
				.msg_control = &control,
				.msg_controllen = sizeof(control)};
	struct pollfd poller = {.fd = socket, .events = POLLIN};
	int fd = -1, r;
	ssize_t n;

	*ret_sender = (struct ucred){0};
	if (ret_fd)
		*ret_fd = -1;
	r = wait_readable(&poller, milliseconds);
	if (r)
		return r;
	n = recvmsg(socket, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	for (struct cmsghdr *part = CMSG_FIRSTHDR(&header); part;
	     part = CMSG_NXTHDR(&header, part)) {
		if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS)
			fd = take_descriptor(part);
		else if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_CREDENTIALS &&
			 part->cmsg_len >= CMSG_LEN(sizeof(*ret_sender)))
			memcpy(ret_sender, CMSG_DATA(part), sizeof(*ret_sender));
	}
	if (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		n = -EMSGSIZE;
	if (ret_fd && n > 0)
		*ret_fd = fd;
	else
		close_foreign(fd);
	return n;
}
