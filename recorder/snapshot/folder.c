// SPDX-License-Identifier: MIT
// Names snapshots, writes them to the folder, and enforces the quota.
#include "recorder/snapshot/folder.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/limits.h"
#include "proto/report.h"
#include "recorder/snapshot/quota.h"

// Makes the folder and its parents. Returns 1 if the folder is new, 0 if it existed, or a negative
// errno.
static int make_folder(const char *path, struct frec_error *reterr)
{
	bool made = false;
	char part[PATH_MAX];
	struct stat status;

	if (!*path)
		return frec__error(reterr, -ENOENT, "a folder needs a name");
	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
		return frec__error(reterr, -ENAMETOOLONG, "%.64s...: this path is too long", path);
	for (char *p = part + 1;; p++) {
		char kept = *p;

		if (kept && kept != '/')
			continue;
		*p = 0;
		made = !mkdir(part, 0700);
		if (!made && errno != EEXIST)
			return frec__error(reterr, -errno, "%s: cannot make this folder: %s", part,
					   strerror(errno));
		*p = kept;
		if (!kept)
			break;
	}
	if (!stat(path, &status) && !S_ISDIR(status.st_mode))
		return frec__error(reterr, -ENOTDIR,
				   "%s: this is not a folder: name another one with -o", path);
	if (faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS))
		return frec__error(reterr, -errno,
				   "%s: cannot write here: %s: name another folder with -o", path,
				   strerror(errno));
	return made;
}

int frec__folder_open(struct frec_folder *folder, const char *path, const char *fallback,
		      uint64_t quota, struct frec_error *reterr)
{
	int r;

	*folder = (struct frec_folder){.quota = quota};
	r = make_folder(path, reterr);
	if (r < 0)
		return r;
	folder->made = r;
	// The path must not depend on the working directory, which may change.
	if (!realpath(path, folder->path))
		return frec__error(reterr, -errno, "%s: %s", path, strerror(errno));
	if (fallback)
		snprintf(folder->fallback, sizeof(folder->fallback), "%s", fallback);
	return 0;
}

// Writes what happened as a part of a file name. sigabbrev_np() knows all signals but the real-time
// ones.
static void what_happened(const struct frec_reason *reason, char *ret, size_t size)
{
	const char *abbreviation = reason->signal ? sigabbrev_np(reason->signal) : NULL;

	if (reason->kind == FLIGHTREC__TRIGGER__KIND__OUT_OF_MEMORY)
		snprintf(ret, size, "oom");
	else if (abbreviation)
		snprintf(ret, size, "SIG%s", abbreviation);
	else if (reason->pid)
		snprintf(ret, size, "exit-%d", reason->exit_status);
	else
		snprintf(ret, size, "%s", *reason->name ? reason->name : "trigger");
}

static void put_name(const struct frec_folder *folder, const struct frec_snapshot_job *snapshot,
		     char *ret, size_t size)
{
	const struct frec_reason *reason = snapshot->reason;
	const struct frec_process *process = frec__snapshot_victim(snapshot);
	char what[160], who[32] = "";
	time_t seconds = (time_t)(snapshot->capture->clocks.realtime / 1000000000);
	struct tm utc;

	what_happened(reason, what, sizeof(what));
	if (reason->pid)
		snprintf(who, sizeof(who), "%s-%u-", process ? process->name : "pid", reason->pid);
	gmtime_r(&seconds, &utc);
	snprintf(ret, size, "%s%s-%04d%02d%02dT%02d%02d%02dZ-%u-%llu" FREC_SNAPSHOT_SUFFIX, who,
		 what, utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
		 utc.tm_sec, (unsigned int)getpid(), (unsigned long long)folder->written);
	for (char *p = ret; *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
			*p = '_';
	}
	if (*ret == '.')
		*ret = '_';
}

// Every user may create files where the fallback folder is, so this returns false if the folder
// belongs to another user, or if others can write to it.
static bool open_fallback(const char *path)
{
	struct stat status;

	return *path && make_folder(path, NULL) >= 0 && !lstat(path, &status) &&
	       S_ISDIR(status.st_mode) && status.st_uid == geteuid() && !(status.st_mode & 022);
}

// The most bytes that a snapshot takes in addition to its rings: for processes, stacks and names.
#define BESIDE_RINGS (UINT64_C(16) << 20)

// Writes a snapshot. If a limit on the size of files is in the way, the error says how high it has
// to be.
static int write_within(const struct frec_snapshot_job *snapshot, const char *path, int64_t owner,
			struct frec_error *reterr)
{
	int r = frec__snapshot_write(snapshot, path, owner, reterr);
	uint64_t most = BESIDE_RINGS;

	if (r != -EFBIG)
		return r;
	for (size_t i = 0; i < snapshot->ring_count; i++)
		most += snapshot->rings[i].size;
	return frec__limit_error(reterr, r, most, "%s", path);
}

int frec__folder_write(struct frec_folder *folder, const struct frec_snapshot_job *snapshot,
		       int64_t owner, char *ret_path, struct frec_error *reterr)
{
	char name[NAME_MAX - 32];
	uid_t file_owner = owner < 0 ? geteuid() : (uid_t)owner;
	struct frec_error first;
	int r;

	folder->written++;
	put_name(folder, snapshot, name, sizeof(name));
	if (snprintf(ret_path, PATH_MAX, "%s/%s", folder->path, name) >= PATH_MAX)
		return frec__error(reterr, -ENAMETOOLONG, "%s: this path is too long",
				   folder->path);
	r = write_within(snapshot, ret_path, owner, &first);
	if (!r) {
		frec__quota_keep(folder->path, folder->quota, file_owner, name);
		return 0;
	}
	if (r == -ECANCELED)
		return r;
	if (open_fallback(folder->fallback) &&
	    snprintf(ret_path, PATH_MAX, "%s/%s", folder->fallback, name) < PATH_MAX) {
		frec__report(LOG_ERR, "%s", first.message);
		r = write_within(snapshot, ret_path, owner, &first);
		if (!r)
			frec__quota_keep(folder->fallback, folder->quota, file_owner, name);
	}
	if (r && reterr)
		*reterr = first;
	return r;
}
