// SPDX-License-Identifier: MIT
// Reads the owner of a process from /proc.
#include "recorder/processes/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "proto/cleanup.h"
#include "proto/read_file.h"

#define STATUS_MAX (64u << 10)
#define UIDS UINT32_MAX // how many there are: 0 to 4294967294

// Reads the four numbers of a line such as "Uid: 0 0 0 0". Returns whether they are there.
static bool read_ids(const char *status, const char *name, uint32_t ret[4])
{
	const char *at = strstr(status, name);

	return at && sscanf(at + strlen(name), "%" SCNu32 "%" SCNu32 "%" SCNu32 "%" SCNu32, &ret[0],
			    &ret[1], &ret[2], &ret[3]) == 4;
}

static bool are_equal(const uint32_t id[4])
{
	return id[0] == id[1] && id[0] == id[2] && id[0] == id[3];
}

// Returns the number by which the kernel shows users that do not exist in the user namespace of
// this process, or UINT32_MAX if all users do.
static uint32_t find_overflow_uid(void)
{
	FREC_FREE char *map = frec__read_file_at(AT_FDCWD, "/proc/self/uid_map", 4096);
	FREC_FREE char *text = NULL;
	uint32_t inside, outside, count;

	if (map && sscanf(map, "%" SCNu32 "%" SCNu32 "%" SCNu32, &inside, &outside, &count) == 3 &&
	    !inside && count == UIDS)
		return UINT32_MAX;
	text = frec__read_file_at(AT_FDCWD, "/proc/sys/kernel/overflowuid", 32);
	return text ? (uint32_t)strtoul(text, NULL, 10) : 65534;
}

static uint32_t overflow_uid(void)
{
	static uint32_t uid;
	static bool found;

	if (!found)
		uid = find_overflow_uid();
	found = true;
	return uid;
}

int frec__owner_read(int folder, struct frec_owner *ret)
{
	FREC_FREE char *status = NULL;
	uint32_t uid[4], gid[4];
	struct stat file;

	// The kernel gives the files of a process that is not dumpable to root, and those of one
	// that has released its memory, too. So find out afterwards whether it still had any.
	if (fstatat(folder, "stat", &file, 0))
		return -ESRCH;
	status = frec__read_file_at(folder, "status", STATUS_MAX);
	if (!status || !strstr(status, "\nVmSize:") || !read_ids(status, "\nUid:", uid) ||
	    !read_ids(status, "\nGid:", gid))
		return -ESRCH;
	*ret = (struct frec_owner){.uid = uid[1],
				   .known = true,
				   .alone = are_equal(uid) && are_equal(gid) &&
					    file.st_uid == uid[1] && file.st_gid == gid[1] &&
					    uid[1] != overflow_uid()};
	return 0;
}

bool frec__owner_shows(const struct frec_owner *owner, int64_t only_uid)
{
	return only_uid < 0 || (owner->known && owner->alone && owner->uid == (uint32_t)only_uid);
}

bool frec__owner_is_other(const struct frec_owner *owner, uint32_t uid)
{
	return owner->known && owner->uid != uid;
}
