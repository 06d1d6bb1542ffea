/* SPDX-License-Identifier: MIT */
/* The tables that all threads of a Firefox profile share: names, call stacks, functions and
 * programs. */
#ifndef FREC_EXPORT_FIREFOX_TABLES_H
#define FREC_EXPORT_FIREFOX_TABLES_H

#include "export/output.h"
#include "export/stack_tree.h"
#include "export/strings.h"

/* The categories of markers and functions, as indices in the profile's list of categories. */
enum frec_firefox_category {
	FREC_FIREFOX_EVENT,
	FREC_FIREFOX_KERNEL,
	FREC_FIREFOX_CRASH,
	FREC_FIREFOX_USER,
	FREC_FIREFOX_OTHER,
};

/* Initialise with zeroes. */
struct frec_firefox_tables {
	struct frec_strings strings;   /* a name is written as its number in this table */
	struct frec_stack_tree stacks; /* a stack is written as its node's number minus 1 */
};

/* Writes ,"libs":[...],"shared":{...}. To be called after all events. `machine` is the architecture
 * of the programs. Returns 0 or a negative errno. */
int frec__firefox_tables_write(struct frec_firefox_tables *tables, const char *machine,
			       struct frec_output *output, struct frec_error *reterr);

void frec__firefox_tables_deinit(struct frec_firefox_tables *tables);

#endif
