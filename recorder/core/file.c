// SPDX-License-Identifier: MIT
// The kernel opens a core file with the identity of the dying process. Here a child process takes
// on that process's root, working directory, user, groups and capabilities, so that links, mounts,
// permissions and quotas have their usual effect.
#include "recorder/core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/read_file.h"
#include "recorder/core/process.h"

// %d expands to this if the process had rights that its user does not have (the kernel's
// SUID_DUMP_ROOT). Root then writes the file, and the user must not choose where.
#define PRIVATE "2"
// The kernel's ELF_EXEC_PAGESIZE. If the limit on core files is lower than this, no file is
// written.
#define LIMIT_MIN 4096
// Aligned blocks of zeros become holes, as in the kernel's own files.
#define BLOCK 4096u
#define BLOCKS 64u
#define GROUPS_MAX 65536

// The properties of the dead process that decide where the file is written and who owns it.
struct place {
	int root, directory; /* of the process */
	uid_t uid;	     /* the file system uid */
	gid_t gid;
	size_t groups;
	gid_t *group;
	uint64_t capabilities; /* a bit for each capability */
	bool private;
};

static int open_link(pid_t pid, const char *name)
{
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static const char *field(const char *status, const char *name)
{
	const char *at = strstr(status, name);

	return at ? at + strlen(name) : "";
}

static void read_groups(struct place *place, const char *list)
{
	char *end;

	place->group = calloc(GROUPS_MAX, sizeof(*place->group));
	while (place->group && place->groups < GROUPS_MAX) {
		unsigned long group = strtoul(list, &end, 10);

		// The last group is followed by a blank, after which strtoul() would read from the
		// next line.
		if (end == list || memchr(list, '\n', (size_t)(end - list)))
			break;
		place->group[place->groups++] = (gid_t)group;
		list = end;
	}
}

// Returns the process's effective capabilities, or none if it was in another user namespace.
static uint64_t capabilities(pid_t pid, const char *status)
{
	struct stat ours, theirs;
	uint64_t effective;
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	if (stat(path, &theirs) || stat("/proc/self/ns/user", &ours) ||
	    ours.st_ino != theirs.st_ino ||
	    sscanf(field(status, "\nCapEff:"), "%" SCNx64, &effective) != 1)
		return 0;
	return effective;
}

static int find_place(struct place *place, pid_t pid)
{
	FREC_FREE char *status = NULL;
	uint32_t tid;
	FREC_CLOSE int member = frec__core_member_open(pid, &status, &tid);

	if (member < 0)
		return member;
	pid = (pid_t)tid;
	place->root = open_link(pid, "root");
	place->directory = open_link(pid, "cwd");
	if (place->root < 0 || place->directory < 0)
		return -ESRCH;
	if (sscanf(field(status, "\nUid:"), "%*u %*u %*u %u", &place->uid) != 1 ||
	    sscanf(field(status, "\nGid:"), "%*u %*u %*u %u", &place->gid) != 1)
		return -EPROTO;
	read_groups(place, field(status, "\nGroups:"));
	place->capabilities = capabilities(pid, status);
	return 0;
}

// From here on this process sees paths as the process that died saw them, and has that process's
// user, groups and capabilities. If place->private is set, this process keeps root's uid and sees
// paths as before.
static int enter(const struct place *place)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
	uid_t uid = place->private ? 0 : place->uid;

	// If root entered a root folder that the user chose, the user would choose where root
	// writes.
	if (!place->private && (fchdir(place->root) || chroot(".") || fchdir(place->directory)))
		return -errno;
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		data[i].effective = data[i].permitted = (uint32_t)(place->capabilities >> 32 * i);
	if (setgroups(place->groups, place->group) ||
	    setresgid(place->gid, place->gid, place->gid) || prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) ||
	    setresuid(uid, uid, uid) || syscall(SYS_capset, &header, data))
		return -errno;
	return 0;
}

static int create(const char *path, const struct place *place)
{
	struct stat status;
	int fd;

	umask(0);
	// Removes the core file of an earlier crash, but not if root writes the file: that could
	// remove another user's file.
	if (!place->private)
		unlink(path);
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	// On a file system without owners or modes, other users could read the file, so no core
	// file is written there.
	if (fstat(fd, &status) || !S_ISREG(status.st_mode) || status.st_nlink != 1 ||
	    status.st_uid != (place->private ? 0 : place->uid) || (status.st_mode & 0677) != 0600) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

// Reads until the buffer is full or the input ends.
static ssize_t read_all(int from, uint8_t *buffer, size_t size)
{
	size_t used = 0;

	while (used < size) {
		ssize_t n = read(from, buffer + used, size - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

static bool is_zero(const uint8_t *block, size_t size)
{
	return !*block && !memcmp(block, block + 1, size - 1);
}

struct copy {
	int to;
	uint64_t limit; /* bytes that may still be written; holes do not count */
	off_t end;
};

static int write_blocks(struct copy *copy, const uint8_t *data, size_t size)
{
	for (size_t at = 0; at < size; at += BLOCK) {
		size_t part = size - at < BLOCK ? size - at : BLOCK;

		if (is_zero(data + at, part)) {
			copy->end += (off_t)part;
			continue;
		}
		if (part > copy->limit)
			return -EFBIG;
		if (pwrite(copy->to, data + at, part, copy->end) != (ssize_t)part)
			return -errno;
		copy->limit -= part;
		copy->end += (off_t)part;
	}
	return 0;
}

// Copies `kept`, then `source`. The kept bytes can end within a block, which is then filled from
// the pipe.
static int copy_core(struct copy *copy, int kept, int source)
{
	FREC_FREE uint8_t *buffer = malloc(BLOCK * BLOCKS);
	ssize_t n = 1;
	int r = buffer ? 0 : -ENOMEM;

	while (!r && n > 0) {
		ssize_t more = 0;

		n = read_all(kept, buffer, BLOCK * BLOCKS);
		if (n >= 0 && (size_t)n < BLOCK * BLOCKS)
			more = read_all(source, buffer + n, BLOCK * BLOCKS - (size_t)n);
		if (n < 0 || more < 0)
			return (int)(n < 0 ? n : more);
		n += more;
		r = write_blocks(copy, buffer, (size_t)n);
	}
	// If the copy ends with a hole, no write has made the file long enough. Reaching the limit
	// is no failure: the kernel stops there too, and a partial file may be of use.
	if (ftruncate(copy->to, copy->end))
		return -errno;
	return r == -EFBIG ? 0 : r;
}

static int write_file(const char *path, struct place *place, uint64_t limit, pid_t pid, int kept,
		      int source)
{
	struct copy copy = {.limit = limit};
	int r = find_place(place, pid);

	if (!r)
		r = enter(place);
	if (r)
		return r;
	copy.to = create(path, place);
	return copy.to < 0 ? copy.to : copy_core(&copy, kept, source);
}

static bool uses_pid(void)
{
	FREC_FREE char *text = frec__read_file_at(AT_FDCWD, "/proc/sys/kernel/core_uses_pid", 16);

	return text && atoi(text);
}

int frec__core_file_write(const char *pattern, const struct frec_core_values *values, int kept,
			  int source, struct frec_error *reterr)
{
	uint64_t limit = values->of['c'] ? strtoull(values->of['c'], NULL, 10) : 0;
	pid_t pid = values->of['P'] ? atoi(values->of['P']) : 0, child;
	struct place place = {.private = values->of['d'] && !strcmp(values->of['d'], PRIVATE)};
	char path[PATH_MAX];
	int status = 0,
	    r = frec__core_pattern_file(pattern, values, uses_pid(), path, sizeof(path));

	if (r)
		return frec__error(reterr, r, "the name of a core file: %s", strerror(-r));
	if (limit < LIMIT_MIN || !*path)
		return 0;
	if (place.private && *path != '/')
		return frec__error(reterr, -EPERM,
				   "process %d had another user's rights: its core file needs an "
				   "absolute path in kernel.core_pattern",
				   pid);
	child = fork();
	if (!child)
		_exit(-write_file(path, &place, limit, pid, kept, source));
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	r = child < 0 ? -errno : WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
	return r ? frec__error(reterr, r, "%s of process %d: %s", path, pid, strerror(-r)) : 0;
}
