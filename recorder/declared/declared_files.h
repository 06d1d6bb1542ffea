/* SPDX-License-Identifier: MIT */
/*
 * Finds the files that declare events and adds their declarations. A file that was read already, or
 * that cost too much, is not read again until it changes.
 */
#ifndef FREC_RECORDER_DECLARED_DECLARED_FILES_H
#define FREC_RECORDER_DECLARED_DECLARED_FILES_H

#include "recorder/declared/declarations.h"

/*
 * Adds the events that the file `path` declares. If `needed` is true, also adds those of the shared
 * libraries that the file is linked with, if they are in its run path or in the dynamic loader's
 * usual folders. It is no error if the file is not an ELF file or declares nothing. Returns 0,
 * -ENOMEM, or a negative errno if the file cannot be opened.
 */
int frec__declarations_add_file(struct frec_declarations *declarations, const char *path,
				bool needed);

/*
 * Adds the events of a file that a process has mapped from `start` to `end`. `path` is the file's
 * path in the root folder of that process; see frec__open_mapped(). Returns the same as
 * frec__declarations_add_file().
 */
int frec__declarations_add_mapping(struct frec_declarations *declarations, uint32_t pid,
				   uint64_t start, uint64_t end, const char *path);

/* Adds the events of all files that a running process has mapped. Skips files that cannot be
 * opened. Returns 0, -ENOMEM, or a negative errno if the mappings cannot be read. */
int frec__declarations_add_process(struct frec_declarations *declarations, pid_t pid);

/* Adds the events of all files that any process of this machine has mapped. Returns 0 or
 * -ENOMEM. */
int frec__declarations_add_machine(struct frec_declarations *declarations);

/*
 * The functions above read trusted files before they return, but let the files of strangers wait
 * (file_reader.h). The functions below read the files that wait. Call frec__declarations_work(),
 * which does not block, whenever the descriptor that frec__declarations_poll() returns is readable,
 * and when the time that frec__declarations_poll() sets is over. frec__declarations_finish()
 * returns when no file waits any more.
 */
void frec__declarations_work(struct frec_declarations *declarations);
int frec__declarations_poll(const struct frec_declarations *declarations, int *milliseconds);
void frec__declarations_finish(struct frec_declarations *declarations);

#endif
