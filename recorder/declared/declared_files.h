/* SPDX-License-Identifier: MIT */
/*
 * Finds the files that declare events and adds their declarations. A file that was read already is
 * not read again.
 */
#ifndef FREC_RECORDER_DECLARED_DECLARED_FILES_H
#define FREC_RECORDER_DECLARED_DECLARED_FILES_H

#include "recorder/declared/declarations.h"

/*
 * Adds the events that `path` declares, and with `needed` also those of the shared libraries that
 * it is linked with (found in the dynamic loader's usual folders). A file that is not an ELF file
 * or declares nothing adds nothing. Returns 0, -ENOMEM, or a negative errno if the file cannot be
 * opened.
 */
int frec__declarations_add_file(struct frec_declarations *declarations, const char *path,
				bool needed);

/* Adds the events of a file that a process has mapped as `path` in its own root. The process may
 * have ended. */
int frec__declarations_add_mapping(struct frec_declarations *declarations, uint32_t pid,
				   const char *path);

/* Adds the events of all files that a running process has mapped. */
int frec__declarations_add_process(struct frec_declarations *declarations, pid_t pid);

/* Adds the events of all processes of this machine. */
int frec__declarations_add_machine(struct frec_declarations *declarations);

#endif
