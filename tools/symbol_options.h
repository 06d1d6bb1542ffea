/* SPDX-License-Identifier: MIT */
/* --symbols and --root, for the commands that show stacks: where programs and their debugging
 * information are. */
#ifndef FREC_TOOLS_SYMBOL_OPTIONS_H
#define FREC_TOOLS_SYMBOL_OPTIONS_H

#include "unwind/unwind.h"

#define FREC_SYMBOL_FOLDERS_MAX 64

enum { FREC_OPTION_SYMBOLS = 512, FREC_OPTION_ROOT };

/* For the array of getopt_long(3). */
#define FREC_SYMBOL_OPTIONS \
	{"symbols", required_argument, NULL, FREC_OPTION_SYMBOLS}, \
	{ \
		"root", required_argument, NULL, FREC_OPTION_ROOT \
	}

struct frec_symbol_options {
	const char *folders[FREC_SYMBOL_FOLDERS_MAX];
	struct frec_unwinder_options unwinder;
};

void frec__symbol_options_init(struct frec_symbol_options *options);

/* Takes in one of the two. Returns 1 if it was one, 0 if it is another option, or -E2BIG. */
int frec__symbol_options_take(struct frec_symbol_options *options, int option, const char *value);

#endif
