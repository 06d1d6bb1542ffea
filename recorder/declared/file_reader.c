// SPDX-License-Identifier: MIT
// Passes files to the children that read them, and keeps an account for each user.
#include "recorder/declared/file_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "proto/clocks.h"
#include "proto/grow.h"
#include "proto/report.h"

// The most bytes of a child's address space, for the program, libelf's tables, and a section of
// SECTION_SIZE_MAX.
#define MEMORY_MAX (UINT64_C(256) << 20)
// The processor time for one file, and the nanoseconds after which a child that waits for a file
// system is given up. Reading the largest programs (a browser, a compiler) takes 30 ms.
#define FILE_MILLISECONDS 1000
#define FILE_PATIENCE UINT64_C(10000000000)
// The files of strangers may take 1/LEISURE of the time.
#define LEISURE 10
// The most files that wait, of all users and of one. Each of them holds a descriptor.
#define WAITING_MAX 256
#define WAITING_USER_MAX 32
// The most users with an account. If there are more, those who share the last account share its
// limits.
#define USERS_MAX 64

enum { STRANGERS, TRUSTED };

void frec__file_reader_init(struct frec_file_reader *reader)
{
	*reader = (struct frec_file_reader){.worker = {FREC_WORKER_NONE, FREC_WORKER_NONE}};
}

static void forget(struct frec_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	free(file->path);
	free(file->finding);
}

static void stop_reading(struct frec_file_reader *reader)
{
	forget(reader->reading);
	free(reader->reading);
	reader->reading = NULL;
}

void frec__file_reader_deinit(struct frec_file_reader *reader)
{
	for (int i = 0; i < 2; i++)
		frec__worker_stop(&reader->worker[i]);
	for (size_t i = 0; i < reader->count; i++)
		forget(&reader->waiting[i]);
	free(reader->waiting);
	if (reader->reading)
		stop_reading(reader);
	free(reader->user);
	frec__file_reader_init(reader);
}

bool frec__file_is_trusted(const struct stat *status)
{
	if (status->st_mode & S_IWOTH)
		return false;
	if (status->st_uid == 0)
		return !(status->st_mode & S_IWGRP) || status->st_gid == 0;
	return status->st_uid == geteuid();
}

bool frec__file_finding_next(struct frec_bytes *findings, enum frec_finding_kind *ret_kind,
			     struct frec_bytes *ret)
{
	uint32_t kind = frec__bytes_u32(findings), size = frec__bytes_u32(findings);
	const uint8_t *data = frec__bytes_take(findings, size);

	if (!data)
		return false;
	*ret_kind = (enum frec_finding_kind)kind;
	*ret = frec__bytes(data, size);
	return true;
}

static struct frec_file_user *user_of(struct frec_file_reader *reader, uint32_t uid)
{
	for (size_t i = 0; i < reader->users; i++) {
		if (reader->user[i].uid == uid)
			return &reader->user[i];
	}
	if (reader->users == USERS_MAX)
		return &reader->user[USERS_MAX - 1];
	if (!frec__grow(&reader->user, reader->users, sizeof(*reader->user)))
		return NULL;
	reader->user[reader->users] = (struct frec_file_user){.uid = uid};
	return &reader->user[reader->users++];
}

static void pass_over(struct frec_file_reader *reader, const struct frec_file *file,
		      const char *why)
{
	reader->passed_over++;
	snprintf(reader->last_passed_over, sizeof(reader->last_passed_over), "%s", file->path);
	frec__report(LOG_WARNING, "%s of user %" PRIu32 ": %s: its events are not recorded",
		     file->path, file->uid, why);
}

// Starts the child if there is none. Returns 0 or a negative errno.
static int start_child(struct frec_file_reader *reader, int which)
{
	const struct frec_sandbox sandbox = {.memory = MEMORY_MAX};

	return reader->worker[which].fd >= 0 ? 0
					     : frec__worker_start(&reader->worker[which], &sandbox,
								  frec__file_contents_serve, NULL);
}

static int try_to_ask(struct frec_file_reader *reader, int which, const struct frec_file *file)
{
	struct frec_question question = {.kinds = file->kinds, .milliseconds = FILE_MILLISECONDS};
	const struct iovec part = {&question, sizeof(question)};
	int r = start_child(reader, which);

	return r ? r : frec__worker_send(reader->worker[which].fd, &part, 1, file->fd);
}

static int ask(struct frec_file_reader *reader, int which, const struct frec_file *file)
{
	int r = try_to_ask(reader, which, file);

	// A child can have been killed while it waited, for example because memory ran out.
	if (r == -EPIPE) {
		frec__worker_stop(&reader->worker[which]);
		r = try_to_ask(reader, which, file);
	}
	return r;
}

// Returns the findings with room for `more` bytes, or NULL if out of memory. The room is a power of
// two, so that it grows rarely.
static uint8_t *make_room(struct frec_file *file, size_t more)
{
	size_t room = 4096, wanted;

	while (room < file->size)
		room *= 2;
	for (wanted = room; wanted < file->size + more; wanted *= 2)
		;
	return file->finding && wanted == room ? file->finding : realloc(file->finding, wanted);
}

// Takes one message of a child. Returns 1 if it was the last about the file, 0 if more will come,
// -EAGAIN if there is none yet, or another negative errno.
static int take_message(int socket, struct frec_file *file)
{
	static uint8_t message[FREC_FINDING_MAX];
	ssize_t n = frec__worker_receive(socket, message, sizeof(message), NULL, MSG_DONTWAIT);
	struct frec_finding finding;
	uint32_t incomplete;
	uint8_t *grown;

	if (n < (ssize_t)sizeof(finding))
		return n < 0 ? (int)n : -EPIPE;
	memcpy(&finding, message, sizeof(finding));
	if (finding.size != (size_t)n - sizeof(finding))
		return -EBADMSG;
	if (finding.kind == FREC_FINDING_END) {
		if (finding.size != sizeof(incomplete))
			return -EBADMSG;
		memcpy(&incomplete, message + sizeof(finding), sizeof(incomplete));
		return incomplete ? -E2BIG : 1;
	}
	if (file->size + (size_t)n > FREC_FILES_FILE_SIZE ||
	    ++file->findings > (file->trusted ? FREC_FILES_TRUSTED_COUNT : FREC_FILES_FILE_COUNT))
		return -E2BIG;
	grown = make_room(file, (size_t)n);
	if (!grown)
		return -ENOMEM;
	memcpy(grown + file->size, message, (size_t)n);
	file->finding = grown;
	file->size += (size_t)n;
	return 0;
}

// Reports a file that was not read, and ends the child, which may still be reading it.
static void fail(struct frec_file_reader *reader, int which, const struct frec_file *file, int r)
{
	struct frec_worker *worker = &reader->worker[which];
	char how[64], why[128];

	if (r == -E2BIG) {
		snprintf(why, sizeof(why), "it declares too much");
	} else if (r == -ETIMEDOUT) {
		snprintf(why, sizeof(why), "its file system does not answer");
	} else if (r == -ENOMEM || worker->fd < 0) {
		// Without a socket, no child could be started.
		snprintf(why, sizeof(why), "%s", strerror(-r));
	} else {
		frec__worker_reap(worker, how, sizeof(how));
		snprintf(why, sizeof(why), "reading its declarations ended by %s", how);
	}
	frec__worker_stop(worker);
	pass_over(reader, file, why);
}

static int read_trusted(struct frec_file_reader *reader, struct frec_file *file)
{
	struct frec_worker *worker = &reader->worker[TRUSTED];
	uint64_t deadline = frec__monotonic() + FILE_PATIENCE;
	int r = ask(reader, TRUSTED, file);

	while (!r) {
		struct pollfd poller = {.fd = worker->fd, .events = POLLIN};
		uint64_t now = frec__monotonic();

		r = now >= deadline ? -ETIMEDOUT : 0;
		if (!r && poll(&poller, 1, (int)((deadline - now) / 1000000) + 1) > 0)
			r = take_message(worker->fd, file);
		r = r == -EAGAIN ? 0 : r;
	}
	if (r < 0)
		fail(reader, TRUSTED, file, r);
	return r < 0 ? r : 0;
}

static size_t waiting_of(const struct frec_file_reader *reader, uint32_t uid)
{
	size_t count = 0;

	for (size_t i = 0; i < reader->count; i++)
		count += reader->waiting[i].uid == uid;
	return count;
}

static bool is_exhausted(const struct frec_file_reader *reader, const struct frec_file_user *user)
{
	return user->size >= FREC_FILES_USER_SIZE || user->findings >= FREC_FILES_USER_COUNT ||
	       reader->strangers_size >= FREC_FILES_STRANGERS_SIZE ||
	       reader->strangers_findings >= FREC_FILES_STRANGERS_COUNT;
}

static int add_waiting(struct frec_file_reader *reader, struct frec_file *file)
{
	struct frec_file_user *user = user_of(reader, file->uid);

	if (user && is_exhausted(reader, user)) {
		if (!user->reported)
			pass_over(reader, file, "the files of this user declare too much");
		user->reported = true;
		return -EDQUOT;
	}
	if (!user || reader->count == WAITING_MAX ||
	    waiting_of(reader, file->uid) == WAITING_USER_MAX ||
	    !frec__grow(&reader->waiting, reader->count, sizeof(*reader->waiting))) {
		reader->passed_over++;
		return -EDQUOT;
	}
	reader->waiting[reader->count++] = *file;
	return 0;
}

int frec__file_reader_add(struct frec_file_reader *reader, struct frec_file *file)
{
	int r;

	if (!file->trusted) {
		r = add_waiting(reader, file);
		if (r)
			forget(file);
		return r;
	}
	r = read_trusted(reader, file);
	if (!r)
		reader->done(reader->context, file);
	forget(file);
	return r;
}

// Returns the index of a file of the user whose last turn is the longest ago.
static size_t choose(struct frec_file_reader *reader)
{
	size_t best = 0;
	uint64_t oldest = UINT64_MAX;

	for (size_t i = 0; i < reader->count; i++) {
		const struct frec_file_user *user = user_of(reader, reader->waiting[i].uid);

		if (user && user->turn < oldest) {
			oldest = user->turn;
			best = i;
		}
	}
	return best;
}

static void begin_next(struct frec_file_reader *reader)
{
	size_t at = choose(reader);
	struct frec_file_user *user = user_of(reader, reader->waiting[at].uid);
	int r;

	reader->reading = malloc(sizeof(*reader->reading));
	if (!reader->reading)
		return;
	*reader->reading = reader->waiting[at];
	memmove(&reader->waiting[at], &reader->waiting[at + 1],
		(--reader->count - at) * sizeof(*reader->waiting));
	if (user)
		user->turn = ++reader->turns;
	reader->began = frec__monotonic();
	r = ask(reader, STRANGERS, reader->reading);
	if (r) {
		fail(reader, STRANGERS, reader->reading, r);
		stop_reading(reader);
	}
}

// Adds what was found in the stranger's file to its owner's account.
static void charge(struct frec_file_reader *reader)
{
	struct frec_file_user *user = user_of(reader, reader->reading->uid);

	if (user) {
		user->size += reader->reading->size;
		user->findings += reader->reading->findings;
	}
	reader->strangers_size += reader->reading->size;
	reader->strangers_findings += reader->reading->findings;
}

static void end_reading(struct frec_file_reader *reader, int r)
{
	uint64_t now = frec__monotonic();

	// Wait in proportion to the time that this file took, because strangers may not keep the
	// recorder or a processor busy.
	reader->resume_at = now + (now - reader->began) * (LEISURE - 1);
	if (r < 0) {
		fail(reader, STRANGERS, reader->reading, r);
	} else {
		charge(reader);
		reader->done(reader->context, reader->reading);
	}
	stop_reading(reader);
}

// Takes the messages that have come about the stranger's file.
static void read_on(struct frec_file_reader *reader)
{
	int r;

	do {
		r = take_message(reader->worker[STRANGERS].fd, reader->reading);
	} while (!r);
	if (r == -EAGAIN && frec__monotonic() - reader->began >= FILE_PATIENCE)
		r = -ETIMEDOUT;
	if (r != -EAGAIN)
		end_reading(reader, r);
}

void frec__file_reader_work(struct frec_file_reader *reader)
{
	if (reader->reading)
		read_on(reader);
	if (!reader->reading && reader->count && frec__monotonic() >= reader->resume_at)
		begin_next(reader);
}

int frec__file_reader_poll(const struct frec_file_reader *reader, int *milliseconds)
{
	int left;

	if (!reader->reading && !reader->count)
		return -1;
	left = frec__milliseconds_until(reader->reading ? reader->began + FILE_PATIENCE
							: reader->resume_at);
	if (*milliseconds < 0 || left < *milliseconds)
		*milliseconds = left;
	return reader->reading ? reader->worker[STRANGERS].fd : -1;
}

void frec__file_reader_finish(struct frec_file_reader *reader)
{
	while (reader->reading || reader->count) {
		struct pollfd poller = {.events = POLLIN};
		int milliseconds = -1;

		reader->resume_at = 0;
		poller.fd = frec__file_reader_poll(reader, &milliseconds);
		if (reader->reading)
			poll(&poller, 1, milliseconds);
		frec__file_reader_work(reader);
	}
}
