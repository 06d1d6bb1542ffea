/* SPDX-License-Identifier: MIT */
/*
 * Reads files of strangers: has children in a sandbox look into them (file_contents.h), and decides
 * how much of the recorder's time and memory the files of each user may take.
 *
 * A file is trusted if its owner is root or the recorder's user and nobody else may write to it, or
 * if the recorder's user named it. Trusted files and the others have a child each, so a start that
 * waits for trusted files never waits for a stranger's. The files of strangers are read while the
 * loop runs, the users taking turns.
 *
 * Invariants: what a file says reaches the recorder whole, or not at all. A file that makes its
 * child die, or that says too much, is reported once, counted, and not read again until it changes.
 * Of what a user's files say, the recorder keeps at most FREC_FILES_USER_SIZE bytes in
 * FREC_FILES_USER_COUNT findings, plus one file; of what the files of all users but root and the
 * recorder's user say, FREC_FILES_STRANGERS_SIZE and FREC_FILES_STRANGERS_COUNT, plus one file.
 */
#ifndef FREC_RECORDER_DECLARED_FILE_READER_H
#define FREC_RECORDER_DECLARED_FILE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "recorder/worker/worker.h"

#define FREC_FILES_FILE_SIZE (1u << 20) /* of findings about one file */
#define FREC_FILES_FILE_COUNT 4096	/* findings about one file of a stranger */
#define FREC_FILES_TRUSTED_COUNT 16384	/* findings about one trusted file */
#define FREC_FILES_USER_SIZE (2u << 20)
#define FREC_FILES_USER_COUNT 4096
#define FREC_FILES_STRANGERS_SIZE (8u << 20)
#define FREC_FILES_STRANGERS_COUNT 8192

/* A file to read. */
struct frec_file {
	int fd;		    /* owned */
	char *path;	    /* for messages, and to find the libraries that the file needs; owned */
	uint32_t kinds;	    /* bits of FREC_LOOK_*, see file_contents.h */
	unsigned int depth; /* how many levels of needed libraries are to be read */
	bool trusted;
	uint32_t uid; /* the file's owner */
	/* what a trusted or other child has found so far */
	uint8_t *finding;
	size_t size, findings;
};

struct frec_file_user {
	uint32_t uid;
	size_t size, findings; /* that were kept */
	uint64_t turn;	       /* number of the turn in which one of its files was last read */
	bool reported;	       /* it was reported that its files are passed over */
};

struct frec_file_reader {
	/* Called with a file that was read, before it is forgotten. Its findings are in
	 * file->finding: hostile, but whole messages. May take file->fd, and add files. */
	void (*done)(void *context, struct frec_file *file);
	void *context;

	struct frec_worker worker[2]; /* for the files of strangers, and for trusted files */
	struct frec_file *reading;    /* the stranger's file that is being read, or NULL */
	uint64_t began;		      /* when that began */
	size_t count;
	struct frec_file *waiting; /* of strangers */
	size_t users;
	struct frec_file_user *user;
	size_t strangers_size, strangers_findings;
	uint64_t turns, resume_at;
	uint64_t passed_over; /* files */
	char last_passed_over[256];
};

void frec__file_reader_init(struct frec_file_reader *reader);
void frec__file_reader_deinit(struct frec_file_reader *reader);

/*
 * Takes ownership of `file` and reads it: at once if it is trusted, which takes at most the time
 * limit of a file; else it waits for its turn. A stranger's file is passed over if too many files
 * of its owner wait or have said too much. Returns 0, or a negative errno if it was passed over.
 */
int frec__file_reader_add(struct frec_file_reader *reader, struct frec_file *file);

/* Reads on in the files that wait, without blocking. To be called when frec__file_reader_fd() is
 * readable, and not later than *ret_milliseconds of frec__file_reader_poll(). */
void frec__file_reader_work(struct frec_file_reader *reader);

/* The descriptor that becomes readable when frec__file_reader_work() has something to do, or -1.
 * Lowers *milliseconds, which may be -1 for no limit, to when it must be called at the latest. */
int frec__file_reader_poll(const struct frec_file_reader *reader, int *milliseconds);

/* Reads all files that wait, one after the other: for a command that lists events. */
void frec__file_reader_finish(struct frec_file_reader *reader);

/* Whether a file with this owner and mode is trusted. */
bool frec__file_is_trusted(uid_t owner, mode_t mode);

#endif
