// SPDX-License-Identifier: MIT
/*
 * Makes a socket that accepts connections from the moment that its name exists. Only one recorder
 * gets the name, however many start at once.
 *
 * bind() makes the name before listen() lets clients in. A client that connects between the two is
 * refused, and a recorder that starts between them takes the socket for one that was left by a
 * recorder that is gone. So the socket is bound to a hidden name, and gets its real name by link()
 * after listen(). link() fails if the name exists. If the name belongs to a recorder that was
 * killed, its socket is replaced. Recorders that replace a socket take turns. Otherwise, of two
 * recorders that found the same socket dead, the second would replace the new socket of the first.
 *
 * A recorder that is killed leaves its socket behind, and also its hidden name if that was not
 * removed yet. No client connects to a hidden name, because it does not end in .sock. Recorders
 * that start later remove both from the folder of control sockets.
 */
#include "recorder/control_listen.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "recorder/service/control.h"

#define BACKLOG 64
#define HIDDEN ".flightrec-"
#define HIDDEN_NAMES_MAX 256
// After this time nobody is about to listen at a hidden name any more.
#define HIDDEN_SECONDS_MAX 60
// How many times to try to get a turn, and the microseconds between two attempts.
#define TURN_ATTEMPTS 1000
#define TURN_PAUSE 10000

static int open_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	int fd;

	snprintf(folder, sizeof(folder), "%.*s.", slash ? (int)(slash + 1 - path) : 0, path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

// Binds the socket `fd` to a hidden name, and sets *ret to its address. Goes through the folder's
// descriptor, so that the length of the folder's path does not matter. Returns 0 or a negative
// errno.
static int bind_hidden(int fd, int folder, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	for (unsigned int i = 0; i < HIDDEN_NAMES_MAX; i++) {
		snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/" HIDDEN "%x-%x",
			 folder, (unsigned int)getpid(), i);
		if (!bind(fd, (struct sockaddr *)ret, sizeof(*ret)))
			return 0;
		if (errno != EADDRINUSE)
			break;
	}
	return -errno;
}

// Waits for the turn of this recorder, but not for ever, because any process that can read the
// folder can keep the folder locked. After the wait, it is better to start and to risk that two
// recorders replace one socket.
static void take_turn(int folder)
{
	for (int i = 0;
	     i < TURN_ATTEMPTS && flock(folder, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK; i++)
		usleep(TURN_PAUSE);
}

// Returns whether nobody listens at the socket `path`. connect() also fails with ECONNREFUSED for a
// file that is not a socket, but such a file must not be replaced.
static bool is_dead(const char *path)
{
	struct stat status;
	int probe;

	if (lstat(path, &status) || !S_ISSOCK(status.st_mode))
		return false;
	probe = frec__control_connect(path);
	if (probe >= 0)
		close(probe);
	return probe == -ECONNREFUSED;
}

// Returns whether nobody listens at a socket, without waiting for a recorder that is busy.
static bool is_refused(int folder, const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	FREC_CLOSE int probe = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (probe < 0 || snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s",
				  folder, name) >= (int)sizeof(address.sun_path))
		return false;
	return connect(probe, (struct sockaddr *)&address, sizeof(address)) &&
	       errno == ECONNREFUSED;
}

// Returns whether a file in the folder is the socket of a recorder that is gone. A hidden name is
// bound for a moment before somebody listens, so it has to be old.
static bool is_left(int folder, const char *name)
{
	const char *end = strrchr(name, '.');
	bool hidden = !strncmp(name, HIDDEN, strlen(HIDDEN));
	struct stat status;

	return (hidden || (end && !strcmp(end, ".sock"))) &&
	       !fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) && S_ISSOCK(status.st_mode) &&
	       (!hidden || time(NULL) - status.st_ctime > HIDDEN_SECONDS_MAX) &&
	       is_refused(folder, name);
}

void frec__control_sweep(const char *path)
{
	FREC_CLOSEDIR DIR *folder = opendir(path);
	struct dirent *entry;

	// A recorder that replaces a dead socket holds the same lock, so what is found dead here is
	// still dead when it is removed. If anybody holds the lock, the sockets stay.
	if (!folder || flock(dirfd(folder), LOCK_EX | LOCK_NB))
		return;
	while ((entry = readdir(folder))) {
		if (is_left(dirfd(folder), entry->d_name))
			(void)unlinkat(dirfd(folder), entry->d_name, 0);
	}
}

static int publish(int folder, const char *hidden, const char *path)
{
	if (!link(hidden, path))
		return 0;
	if (errno != EEXIST)
		return -errno;
	take_turn(folder);
	if (!is_dead(path))
		return -EADDRINUSE;
	return rename(hidden, path) ? -errno : 0;
}

int frec__control_listen(const char *path, mode_t mode)
{
	FREC_CLOSE int folder = open_folder(path);
	struct sockaddr_un hidden;
	int fd, r;

	if (strlen(path) >= sizeof(hidden.sun_path))
		return -ENAMETOOLONG;
	if (folder < 0)
		return folder;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = bind_hidden(fd, folder, &hidden);
	if (!r) {
		r = chmod(hidden.sun_path, mode) || listen(fd, BACKLOG)
			    ? -errno
			    : publish(folder, hidden.sun_path, path);
		unlink(hidden.sun_path);
	}
	if (r)
		close(fd);
	return r ? r : fd;
}
