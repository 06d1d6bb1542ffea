// SPDX-License-Identifier: MIT
// The part of the kernel's interface that registers user events, as
// Documentation/trace/user_events.rst describes it. It is repeated here for systems whose headers
// have no <linux/user_events.h>.
#include "recorder/service/data_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recorder/service/tracefs.h"

// Our descriptors get numbers from slightly below this limit upwards, because programs reuse low
// numbers, and few programs open so many files.
#define USUAL_FD_LIMIT 1024
#define FDS_BELOW_LIMIT 32

struct user_reg {
	uint32_t size;
	uint8_t enable_bit, enable_size;
	uint16_t flags;
	uint64_t enable_addr;
	uint64_t name_args;
	uint32_t write_index;
} __attribute__((packed));

struct user_unreg {
	uint32_t size;
	uint8_t disable_bit, reserved;
	uint16_t reserved2;
	uint64_t disable_addr;
} __attribute__((packed));

// Allows several layouts under one name: each becomes an event "name.<hex>" in the system
// user_events_multi. Since Linux 6.9; older kernels fail with EINVAL.
#define USER_EVENT_REG_MULTI_FORMAT (1 << 1)

// The size encoded in the ioctl's number is that of a pointer, here as in the kernel.
#define DIAG_IOCSREG _IOWR('*', 0, struct user_reg *)
#define DIAG_IOCSUNREG _IOW('*', 2, struct user_unreg *)

static dev_t device;
static ino_t inode;
static int last_fd = -1;

// Duplicates `fd` to a number above that of the last duplicate; if none is free, to a high number;
// if none of these is free either, to any number. Returns the duplicate or a negative errno.
static int duplicate(int fd)
{
	struct rlimit limit;
	int lowest = USUAL_FD_LIMIT, copy = -1;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < USUAL_FD_LIMIT)
		lowest = (int)limit.rlim_cur;
	lowest = lowest > 2 * FDS_BELOW_LIMIT ? lowest - FDS_BELOW_LIMIT : lowest / 2;
	if (last_fd >= lowest)
		copy = fcntl(fd, F_DUPFD_CLOEXEC, last_fd + 1);
	if (copy < 0)
		copy = fcntl(fd, F_DUPFD_CLOEXEC, lowest);
	if (copy < 0)
		copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return copy >= 0 ? copy : -errno;
}

int frec__data_file_duplicate(int fd)
{
	struct stat status;
	int copy;

	if (fstat(fd, &status))
		return -errno;
	copy = duplicate(fd);
	if (copy < 0)
		return copy;
	device = status.st_dev;
	inode = status.st_ino;
	last_fd = copy;
	return copy;
}

int frec__data_file_open(void)
{
	int copy, fd = frec__tracefs_open("user_events_data", O_WRONLY);

	if (fd < 0)
		return fd;
	copy = frec__data_file_duplicate(fd);
	close(fd);
	return copy;
}

bool frec__data_file_is_ours(int fd)
{
	struct stat status;

	return fd >= 0 && fstat(fd, &status) == 0 && status.st_dev == device &&
	       status.st_ino == inode;
}

int frec__data_file_check(int fd)
{
	static const uint32_t never_registered;
	int mode = fcntl(fd, F_GETFL);

	if (mode < 0 || (mode & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	return frec__data_file_unregister(fd, &never_registered, 0) == -ENOENT ? 0 : -ENOTTY;
}

int frec__data_file_register(int fd, const char *declaration, uint32_t *enabled, int bit,
			     uint32_t *ret_index)
{
	struct user_reg request = {
		.size = sizeof(request),
		.enable_bit = (uint8_t)bit,
		.enable_size = sizeof(*enabled),
		.enable_addr = (uintptr_t)enabled,
		.name_args = (uintptr_t)declaration,
	};

	if (ioctl(fd, DIAG_IOCSREG, &request)) {
		if (errno != EADDRINUSE)
			return -errno;
		// An event of this name exists with other fields.
		request.flags = USER_EVENT_REG_MULTI_FORMAT;
		if (ioctl(fd, DIAG_IOCSREG, &request))
			return errno == EINVAL ? -EADDRINUSE : -errno;
	}
	*ret_index = request.write_index;
	return 0;
}

int frec__data_file_unregister(int fd, const uint32_t *enabled, int bit)
{
	struct user_unreg request = {
		.size = sizeof(request),
		.disable_bit = (uint8_t)bit,
		.disable_addr = (uintptr_t)enabled,
	};

	return ioctl(fd, DIAG_IOCSUNREG, &request) ? -errno : 0;
}
