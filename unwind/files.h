/* SPDX-License-Identifier: MIT */
/* Finds the files of a module: the program itself, and its separate debug files. */
#ifndef FREC_UNWIND_FILES_H
#define FREC_UNWIND_FILES_H

#include "unwind/module.h"

/*
 * The file that was mapped. It is searched at its path, by build-id in the debug folders, and on
 * debuginfod servers. A file with another build-id than the recorded one is never returned. NULL if
 * there is none, with the reason in `reterr`.
 */
struct frec_elf *frec__files_main(const struct frec_unwinder *unwinder, const char *path,
				  const struct frec_build_id *build_id, struct frec_error *reterr);

/* The separate debug file with this build-id, or NULL. `main` is the program, or NULL. */
struct frec_elf *frec__files_debug(const struct frec_unwinder *unwinder, const char *path,
				   const struct frec_elf *main,
				   const struct frec_build_id *build_id);

/* The file with the debugging information that `elf` shares with other programs
 * (.gnu_debugaltlink, made by dwz(1)), or NULL. */
struct frec_elf *frec__files_alternate(const struct frec_unwinder *unwinder,
				       const struct frec_elf *elf);

#endif
