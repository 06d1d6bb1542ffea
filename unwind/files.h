/* SPDX-License-Identifier: MIT */
/* Where the files of a module are sought: the program itself, and the one with its debugging
 * information. */
#ifndef FREC_UNWIND_FILES_H
#define FREC_UNWIND_FILES_H

#include "unwind/module.h"

/*
 * The file that was mapped: at its path, by build-id in the folders, from debuginfod. Never one
 * with another build-id than the recorded. NULL where there is none, with the reason in `reterr`.
 */
struct frec_elf *frec__files_main(const struct frec_unwinder *unwinder, const char *path,
				  const struct frec_build_id *build_id, struct frec_error *reterr);

/* The separate debug file that belongs to `main` (may be NULL) with this build-id, or NULL. */
struct frec_elf *frec__files_debug(const struct frec_unwinder *unwinder, const char *path,
				   const struct frec_elf *main,
				   const struct frec_build_id *build_id);

/* The file that `elf` shares its debugging information with (.gnu_debugaltlink, as dwz(1) makes
 * it), or NULL. */
struct frec_elf *frec__files_alternate(const struct frec_unwinder *unwinder,
				       const struct frec_elf *elf);

#endif
