/* SPDX-License-Identifier: MIT */
/* Finds the files of a module: the program itself, and its separate debug files. */
#ifndef FREC_UNWIND_FILES_H
#define FREC_UNWIND_FILES_H

#include "unwind/module.h"

/*
 * Opens the file that was mapped. It is searched for at its path, in what the recorder kept, by
 * build-id in the debug folders, and on debuginfod servers. If map->file is set, it decides: a file
 * at the path that is another one is not used, and `ret_lost` is set if there was none at the path.
 * A file with another build-id than the recorded one is never returned. Returns NULL if no file is
 * found, with the reason in `reterr`.
 */
struct frec_elf *frec__files_main(const struct frec_unwinder *unwinder,
				  const struct frec_unwind_map *map,
				  const struct frec_build_id *build_id, bool *ret_lost,
				  struct frec_error *reterr);

/* Opens the separate debug file: the one with this build-id in the debug folders, or else the one
 * that .gnu_debuglink of `main` names, or else the one on a debuginfod server. `main` is the
 * program; NULL: it was not found. Returns NULL if there is none. */
struct frec_elf *frec__files_debug(const struct frec_unwinder *unwinder, const char *path,
				   const struct frec_elf *main,
				   const struct frec_build_id *build_id);

/* Opens the file with the debugging information that `elf` shares with other programs
 * (.gnu_debugaltlink, made by dwz(1)). Returns NULL if there is none. */
struct frec_elf *frec__files_alternate(const struct frec_unwinder *unwinder,
				       const struct frec_elf *elf);

#endif
