/* SPDX-License-Identifier: MIT */
/*
 * Finds the files that declare events and adds their declarations. A file that was read already is
 * not read again.
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
 * Adds the events of a file that a process has mapped. `path` is the file's path in the root folder
 * of that process. If the file does not exist there, for example because the process has ended,
 * `path` is opened in the recorder's root folder. Returns the same as
 * frec__declarations_add_file().
 */
int frec__declarations_add_mapping(struct frec_declarations *declarations, uint32_t pid,
				   const char *path);

/* Adds the events of all files that a running process has mapped. Skips files that cannot be
 * opened. Returns 0, -ENOMEM, or a negative errno if the mappings cannot be read. */
int frec__declarations_add_process(struct frec_declarations *declarations, pid_t pid);

/* Adds the events of all files that any process of this machine has mapped. Returns 0 or
 * -ENOMEM. */
int frec__declarations_add_machine(struct frec_declarations *declarations);

#endif
