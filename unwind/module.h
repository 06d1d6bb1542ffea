/* SPDX-License-Identifier: MIT */
/*
 * A module: a program or library that processes had mapped, with its files, its rows and its names.
 *
 * The build-id identifies a module. A file with another build-id is not used, whatever its path: a
 * program that has been replaced since the recording gets no names rather than wrong ones. If the
 * recording has no build-id, the file at the path is used, and its names are marked as not
 * verified.
 */
#ifndef FREC_UNWIND_MODULE_H
#define FREC_UNWIND_MODULE_H

#include "proto/table.h"
#include "unwind/elf_file.h"
#include "unwind/rows.h"
#include "unwind/unwind.h"

/* One CFI section with its rows. */
struct frec_cfi_section {
	struct frec_cfi cfi;
	struct frec_rows *rows; /* NULL: the section is missing or unreadable */
};

struct frec_module {
	struct frec_build_id build_id; /* as recorded; size 0: unknown */
	char *path;		       /* as recorded */
	char *file;		       /* as in struct frec_unwind_map; may be NULL */
	bool verified;
	bool lost; /* nobody will find the file at its path: see frec__unwinder_lost_program() */
	const struct frec_unwinder *unwinder;
	struct frec_elf *elf;	/* the file that was mapped, or NULL */
	struct frec_elf *debug; /* the separate debug file, or NULL */
	struct frec_cfi_section eh_frame, debug_frame;
	bool debug_sought, debug_frame_sought;
	struct frec_names_index *names; /* NULL: not needed yet */
	struct frec_error error;	/* the first problem with the files; code 0: none */
};

struct frec_unwinder {
	const struct frec_registers *machine;
	struct frec_unwinder_options options; /* points to copies */
	struct frec_module **modules;
	size_t module_count;
	/* index in `modules` plus 1, by hash of the module's build-id or, without one, of what
	 * leads to its file */
	struct frec_table module_indices;
};

/* Finds the module that `map` maps, or opens it. Mappings with the same build-id share one
 * module. Returns NULL if memory runs out. */
struct frec_module *frec__module_get(struct frec_unwinder *unwinder,
				     const struct frec_unwind_map *map);
void frec__module_destroy(struct frec_module *module);

/* Finds the row of an address in the module's file. Without CFI the row is always FREC_ROW_NONE.
 * The return values are those of frec__rows_find(). */
int frec__module_row(struct frec_module *module, uint64_t address, struct frec_row *ret,
		     struct frec_error *reterr);

/* Finds the rules at an address in the module's file. The return values are those of
 * frec__rows_rules(). */
int frec__module_rules(struct frec_module *module, uint64_t address, struct frec_rules *ret_rules,
		       struct frec_fde *ret_fde, struct frec_error *reterr);

/* Returns the separate debug file, which the first call searches for, or NULL if none was found. */
struct frec_elf *frec__module_debug(struct frec_module *module);

#endif
