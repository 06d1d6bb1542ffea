/* SPDX-License-Identifier: MIT */
/* The USDT probes that selections match, the file of each, and the layout of its records. */
#ifndef FREC_RECORDER_SOURCES_FOREIGN_TARGETS_H
#define FREC_RECORDER_SOURCES_FOREIGN_TARGETS_H

#include "recorder/declared/catalog.h"
#include "recorder/sources/foreign_record.h"
#include "recorder/declared/format.h"
#include "recorder/declared/program_files.h"
#include "recorder/sources/selection.h"
#include "recorder/sources/stapsdt.h"

/* A probe in a file. */
struct frec_foreign_target {
	const struct frec_selection *selection; /* the first selection that matches the probe */
	struct frec_program_file file;		/* its descriptor belongs to `of_selection` */
	struct frec_usdt_probe probe;
	uint32_t strings; /* bit n is set if argument n is recorded as text */
	/* for each text the number of the argument that is its length, or FREC_USDT_TO_NUL */
	uint8_t length[FREC_USDT_ARGUMENTS_MAX];
	struct frec_stack_choice stack;
};

struct frec_foreign_targets {
	size_t count;
	struct frec_foreign_target *target;
	size_t files;
	struct frec_program_files *of_selection; /* the files of each selection, which stay open */
};

/* Adds the probes that a selection of kind FREC_SELECT_USDT matches. Returns 0, or a negative errno
 * with a message; -ENOENT if it matches none. */
int frec__foreign_targets_add(struct frec_foreign_targets *targets,
			      const struct frec_selection *selection, struct frec_error *reterr);
void frec__foreign_targets_deinit(struct frec_foreign_targets *targets);
#define FREC_FOREIGN_TARGETS __attribute__((cleanup(frec__foreign_targets_deinit)))

/* Fills `listed` with the names of a target, and `format` with the fields of its records. Returns 0
 * or -ENOMEM. */
int frec__foreign_target_describe(const struct frec_foreign_target *target,
				  struct frec_listed *listed, struct frec_format *format);

/* Returns what the BPF program needs to know to write records of the target. */
struct frec_usdt_slot frec__foreign_target_slot(const struct frec_foreign_target *target);

#endif
