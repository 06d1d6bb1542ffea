/* SPDX-License-Identifier: MIT */
/*
 * A program or library that processes had mapped: the files that tell about it, its rows and its
 * names.
 *
 * What a module is, is its build-id. A file that has another one is not looked at, whatever its
 * path: a program that was replaced since has no names rather than wrong ones. Only of a recording
 * without build-ids the file at the path is believed, and what it says is marked as not verified.
 */
#ifndef FREC_UNWIND_MODULE_H
#define FREC_UNWIND_MODULE_H

#include "unwind/elf_file.h"
#include "unwind/rows.h"
#include "unwind/unwind.h"

/* One CFI section with its rows. */
struct frec_cfi_section {
	struct frec_cfi cfi;
	struct frec_rows *rows; /* NULL: there is none, or it cannot be read */
};

struct frec_module {
	struct frec_module *next;      /* of the unwinder's */
	struct frec_build_id build_id; /* as recorded; size 0: unknown */
	char *path;		       /* as recorded */
	bool verified;
	const struct frec_unwinder *unwinder;
	struct frec_elf *elf;	/* the file that was mapped, or NULL */
	struct frec_elf *debug; /* its separate debug file, or NULL */
	struct frec_cfi_section eh_frame, debug_frame;
	bool debug_sought, debug_frame_sought;
	struct frec_names_index *names; /* NULL: not asked for yet */
	struct frec_error error;	/* why something is missing: the first that was met */
};

struct frec_unwinder {
	const struct frec_registers *machine;
	struct frec_unwinder_options options; /* what they point to is owned */
	struct frec_module *modules;
};

/* The module that `map` belongs to, opened; the same for the same build-id. NULL: out of memory. */
struct frec_module *frec__module_get(struct frec_unwinder *unwinder,
				     const struct frec_unwind_map *map);
void frec__module_destroy(struct frec_module *module);

/* The row of an address in the module's file. A module without CFI has FREC_ROW_NONE everywhere. */
int frec__module_row(struct frec_module *module, uint64_t address, struct frec_row *ret,
		     struct frec_error *reterr);

/* As frec__rows_rules. */
int frec__module_rules(struct frec_module *module, uint64_t address, struct frec_rules *ret_rules,
		       struct frec_fde *ret_fde, struct frec_error *reterr);

/* The file to look for names in besides `elf`: sought at the first call. NULL: none. */
struct frec_elf *frec__module_debug(struct frec_module *module);

#endif
