/* SPDX-License-Identifier: MIT */
/*
 * Reads files of strangers: has children in a sandbox look into them (file_contents.h), and decides
 * how much of the recorder's time and memory the files of each user may take.
 *
 * A file is trusted if its owner is root or the recorder's user and nobody else may write to it, or
 * if the recorder's user named it. (The group of a file of the recorder's user may write to it,
 * because many distributions give each user a group of his own.) One child reads the trusted files
 * and another one the rest, so a start that waits for trusted files never waits for a stranger's.
 * The files of strangers are read while the loop runs, and the users take turns.
 *
 * Invariants: the findings about a file reach the recorder complete, or not at all. A file that
 * makes its child die, or that has too many findings, is reported once, counted, and not read again
 * until it changes. Of the findings about files that are not trusted, the recorder keeps for each
 * user at most FREC_FILES_USER_SIZE bytes in FREC_FILES_USER_COUNT findings, plus those of one
 * file; for all users together, at most FREC_FILES_STRANGERS_SIZE bytes in
 * FREC_FILES_STRANGERS_COUNT findings, plus those of one file.
 */
#ifndef FREC_RECORDER_DECLARED_FILE_READER_H
#define FREC_RECORDER_DECLARED_FILE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "proto/bytes.h"
#include "recorder/declared/file_contents.h"
#include "recorder/worker/worker.h"

#define FREC_FILES_FILE_SIZE (1u << 20) /* bytes of findings about one file */
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
	/* what the child has found so far: whole messages, of `size` bytes in all */
	uint8_t *finding;
	size_t size, findings;
};

struct frec_file_user {
	uint32_t uid;
	size_t size, findings; /* bytes and number of the findings kept about its files */
	uint64_t turn;	       /* number of the turn in which one of its files was last read */
	/* a report has said that files of this user are not read */
	bool reported;
};

struct frec_file_reader {
	/* Called with a file that was read, before it is forgotten. file->finding has the findings,
	 * which are hostile, but whole messages. May take file->fd, and add files. */
	void (*done)(void *context, struct frec_file *file);
	void *context;

	struct frec_worker worker[2]; /* for the files of strangers, and for trusted files */
	struct frec_file *reading;    /* the stranger's file that is being read, or NULL */
	uint64_t began;		      /* when the reading of that file began */
	size_t count;
	struct frec_file *waiting; /* files of strangers */
	size_t users;
	struct frec_file_user *user;
	size_t strangers_size, strangers_findings;
	uint64_t turns, resume_at;
	uint64_t passed_over; /* how many files were not read */
	char last_passed_over[256];
};

void frec__file_reader_init(struct frec_file_reader *reader);
void frec__file_reader_deinit(struct frec_file_reader *reader);

/*
 * Takes ownership of `file`. Reads it at once if it is trusted, which takes at most the time limit
 * of a file; else the file waits for its turn. A stranger's file is passed over if too many files
 * wait, of all users or of its owner, or if too many findings were kept, of all strangers or of its
 * owner. Returns 0, or a negative errno if the file was passed over.
 */
int frec__file_reader_add(struct frec_file_reader *reader, struct frec_file *file);

/* Reads on in the files that wait, without blocking. Call this when the descriptor that
 * frec__file_reader_poll() returns is readable, and when the time that it sets is over. */
void frec__file_reader_work(struct frec_file_reader *reader);

/* Returns the descriptor that becomes readable when frec__file_reader_work() has something to do,
 * or -1. Lowers *milliseconds, which may be -1 for no limit, to the time after which that function
 * must be called in any case. */
int frec__file_reader_poll(const struct frec_file_reader *reader, int *milliseconds);

/* Reads all files that wait, one after the other: for a command that lists events. */
void frec__file_reader_finish(struct frec_file_reader *reader);

/* Takes the next finding off the findings of a file, file->finding. Sets `ret` to what it says.
 * Returns false if there is none. */
bool frec__file_finding_next(struct frec_bytes *findings, enum frec_finding_kind *ret_kind,
			     struct frec_bytes *ret);

/* Returns whether a file with this owner, group and mode is trusted. */
bool frec__file_is_trusted(const struct stat *status);

#endif
