// SPDX-License-Identifier: MIT
// Ranks the snapshots of a folder by what is in them.
#include "recorder/snapshot/quota.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "flightrec.pb-c.h"
#include "proto/cleanup.h"
#include "proto/grow.h"
#include "proto/part.h"
#include "proto/report.h"
#include "proto/share.h"

// How many bytes of a file are read. HEAD_MIN is enough if the file has a summary, because only the
// header comes before the summary. HEAD_MAX is for files of versions that wrote no summary, and is
// enough for a crash with its stack.
#define HEAD_MIN (16u << 10)
#define HEAD_MAX (128u << 10)
// How many times the quota the snapshots of all strangers together may take.
#define STRANGERS_QUOTAS 3

struct candidate {
	char name[NAME_MAX + 1];
	uint64_t size;
	uid_t owner;
	struct timespec time;
	enum frec_rank rank;
	// These three say of which sort the file is.
	Flightrec__Trigger__Kind kind;
	int signal;
	char subject[128];
	bool empty;
};

struct candidates {
	size_t count;
	struct candidate *candidate;
	uint64_t total; // bytes
};

static void set_subject(struct candidate *ret, const char *text, size_t size)
{
	snprintf(ret->subject, sizeof(ret->subject), "%.*s", (int)(size < 127 ? size : 127), text);
}

static void take_summary(struct candidate *ret, const struct frec_part_view *part)
{
	Flightrec__Summary *summary = flightrec__summary__unpack(NULL, part->body_size, part->body);

	if (!summary)
		return;
	ret->kind = summary->kind;
	ret->signal = summary->signal;
	set_subject(ret, (const char *)summary->subject.data, summary->subject.len);
	ret->empty = !summary->records && !summary->crash_state;
	flightrec__summary__free_unpacked(summary, NULL);
}

static void take_trigger(struct candidate *ret, const struct frec_part_view *part)
{
	Flightrec__Trigger *trigger = flightrec__trigger__unpack(NULL, part->body_size, part->body);

	if (!trigger)
		return;
	ret->kind = trigger->kind;
	set_subject(ret, trigger->name, strlen(trigger->name));
	ret->empty = false;
	flightrec__trigger__free_unpacked(trigger, NULL);
}

static void take_crash(struct candidate *ret, const struct frec_part_view *part)
{
	Flightrec__Crash *crash = flightrec__crash__unpack(NULL, part->body_size, part->body);

	if (!crash)
		return;
	ret->signal = crash->signal;
	set_subject(ret, (const char *)crash->process_name.data, crash->process_name.len);
	flightrec__crash__free_unpacked(crash, NULL);
}

// Reads what the file is about from its first parts. Returns true if `data` ends before that is
// known.
static bool read_parts(struct candidate *ret, const uint8_t *data, size_t size)
{
	struct frec_part_view part;
	int r;

	while (!(r = frec__part_next(data, size, &part)) && part.field != FREC_PART_RECORDS) {
		if (part.field == FREC_PART_SUMMARY) {
			take_summary(ret, &part);
			return false;
		}
		if (part.field == FREC_PART_TRIGGER)
			take_trigger(ret, &part);
		if (part.field == FREC_PART_CRASH)
			take_crash(ret, &part);
		data += part.size;
		size -= part.size;
	}
	return r == -EAGAIN;
}

static void read_candidate(int folder, struct candidate *ret)
{
	FREC_CLOSE int fd =
		openat(folder, ret->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	FREC_FREE uint8_t *data = malloc(HEAD_MAX);
	ssize_t n = fd >= 0 && data ? pread(fd, data, HEAD_MIN, 0) : -1;

	// If there is no memory or no right to read the file, it does not count as empty.
	ret->empty = n >= 0;
	if (n > 0 && read_parts(ret, data, (size_t)n) && n == HEAD_MIN) {
		n = pread(fd, data, HEAD_MAX, 0);
		if (n > 0)
			(void)read_parts(ret, data, (size_t)n);
	}
}

static bool add(struct candidates *all, const char *name, const struct stat *status)
{
	struct candidate *candidate;

	if (!frec__grow(&all->candidate, all->count, sizeof(*all->candidate)))
		return false;
	candidate = &all->candidate[all->count++];
	*candidate = (struct candidate){.size = (uint64_t)status->st_size,
					.owner = status->st_uid,
					.time = status->st_mtim};
	snprintf(candidate->name, sizeof(candidate->name), "%s", name);
	return true;
}

// Lists the snapshots of `owner`, or of all strangers if `owner` is one.
static void list(struct candidates *all, DIR *listing, uid_t owner)
{
	bool strangers = frec__is_stranger(owner);
	const size_t suffix = strlen(FREC_SNAPSHOT_SUFFIX);
	struct dirent *entry;

	while ((entry = readdir(listing))) {
		size_t length = strlen(entry->d_name);
		struct stat status;

		if (length <= suffix || entry->d_name[0] == '.' ||
		    strcmp(entry->d_name + length - suffix, FREC_SNAPSHOT_SUFFIX) ||
		    fstatat(dirfd(listing), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) ||
		    !S_ISREG(status.st_mode) ||
		    (strangers ? !frec__is_stranger(status.st_uid) : status.st_uid != owner))
			continue;
		if (!add(all, entry->d_name, &status))
			return;
	}
}

static int by_owner(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return x->owner == y->owner ? 0 : x->owner < y->owner ? -1 : 1;
}

static int by_age(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->time.tv_sec != y->time.tv_sec)
		return x->time.tv_sec < y->time.tv_sec ? -1 : 1;
	if (x->time.tv_nsec != y->time.tv_nsec)
		return x->time.tv_nsec < y->time.tv_nsec ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int by_sort(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->signal != y->signal)
		return x->signal < y->signal ? -1 : 1;
	if (strcmp(x->subject, y->subject))
		return strcmp(x->subject, y->subject);
	return by_age(a, b);
}

static int by_rank(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return by_age(a, b);
}

static bool is_same_sort(const struct candidate *x, const struct candidate *y)
{
	return x->kind == y->kind && x->signal == y->signal && !strcmp(x->subject, y->subject);
}

static bool is_trigger(const struct candidate *candidate)
{
	return candidate->kind == FLIGHTREC__TRIGGER__KIND__UNKNOWN ||
	       candidate->kind == FLIGHTREC__TRIGGER__KIND__REQUEST ||
	       candidate->kind == FLIGHTREC__TRIGGER__KIND__SIGNAL_USR2;
}

// Sets the ranks of quota.h. Empty files count neither as first nor as latest. `all` must be in the
// order of by_sort().
static void rank(struct candidates *all)
{
	struct candidate *before = NULL;
	bool before_is_first = false;

	for (size_t i = 0; i < all->count; i++) {
		struct candidate *one = &all->candidate[i];
		bool first = !before || !is_same_sort(before, one);

		if (one->empty) {
			one->rank = FREC_RANK_EMPTY;
			continue;
		}
		// `one` is the latest of its sort so far, so `before` no longer is.
		if (!first && before->rank == FREC_RANK_DEATH_LATEST)
			before->rank = FREC_RANK_DEATH;
		if (!first && before->rank == FREC_RANK_TRIGGER_ENDS && !before_is_first)
			before->rank = FREC_RANK_TRIGGER;
		one->rank = is_trigger(one) ? FREC_RANK_TRIGGER_ENDS
			    : first	    ? FREC_RANK_DEATH_FIRST
					    : FREC_RANK_DEATH_LATEST;
		before = one;
		before_is_first = first;
	}
}

// What an owner may have in the folder.
struct limits {
	uint64_t bytes;
	size_t files;
};

static bool is_above(const struct candidates *all, size_t deleted, const struct limits *limits)
{
	return all->total > limits->bytes || all->count - deleted > limits->files;
}

static void delete_first(struct candidates *all, int folder, const char *path,
			 const struct limits *limits, const char *youngest)
{
	size_t deleted = 0;

	for (size_t i = 0; i < all->count && is_above(all, deleted, limits); i++) {
		const struct candidate *one = &all->candidate[i];

		if (!strcmp(one->name, youngest))
			continue;
		frec__report(LOG_NOTICE, "removing %s/%s: the folder is above its quota", path,
			     one->name);
		if (unlinkat(folder, one->name, 0) && errno != ENOENT)
			continue;
		all->total -= one->size;
		deleted++;
	}
}

// Keeps the snapshots of one owner, `all`, within the limits.
static void keep(struct candidates *all, int folder, const char *path, const struct limits *limits,
		 const char *youngest)
{
	for (size_t i = 0; i < all->count; i++)
		all->total += all->candidate[i].size;
	if (!is_above(all, 0, limits))
		return;
	for (size_t i = 0; i < all->count; i++)
		read_candidate(folder, &all->candidate[i]);
	qsort(all->candidate, all->count, sizeof(*all->candidate), by_sort);
	rank(all);
	qsort(all->candidate, all->count, sizeof(*all->candidate), by_rank);
	delete_first(all, folder, path, limits, youngest);
}

// Returns how many of the candidates from the index `at` on belong to one owner.
static size_t of_one_owner(const struct candidates *all, size_t at)
{
	size_t end = at;

	while (end < all->count && all->candidate[end].owner == all->candidate[at].owner)
		end++;
	return end - at;
}

void frec__quota_keep(const char *folder, uint64_t quota, uid_t owner, const char *youngest)
{
	FREC_CLOSEDIR DIR *listing = quota ? opendir(folder) : NULL;
	struct limits limits = {.bytes = quota, .files = SIZE_MAX};
	struct candidates all = {0};
	size_t owners = 0;

	if (!listing)
		return;
	list(&all, listing, owner);
	if (all.count)
		qsort(all.candidate, all.count, sizeof(*all.candidate), by_owner);
	for (size_t at = 0; at < all.count; at += of_one_owner(&all, at))
		owners++;
	if (frec__is_stranger(owner))
		limits.files = FREC_QUOTA_FILES_MAX;
	if (owners > STRANGERS_QUOTAS)
		limits.bytes = quota / owners * STRANGERS_QUOTAS;
	for (size_t at = 0, count; at < all.count; at += count) {
		struct candidates one = {.candidate = &all.candidate[at]};

		one.count = count = of_one_owner(&all, at);
		keep(&one, dirfd(listing), folder, &limits, youngest);
	}
	free(all.candidate);
}
