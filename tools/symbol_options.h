/* SPDX-License-Identifier: MIT */
/* --symbols and --root, for the commands that show stacks: where programs and their debugging
 * information are. */
#ifndef FREC_TOOLS_SYMBOL_OPTIONS_H
#define FREC_TOOLS_SYMBOL_OPTIONS_H

#include "tools/options.h"
#include "unwind/unwind.h"

#define FREC_SYMBOL_FOLDERS_MAX 64

struct frec_symbol_options {
	const char *folders[FREC_SYMBOL_FOLDERS_MAX];
	struct frec_unwinder_options unwinder;
};

/* The table of --symbols and --root, to initialise an array of struct frec_option. */
#define FREC_SYMBOL_OPTIONS(options) \
	{ \
		{.name = "symbols", \
		 .value = "DIR", \
		 .parse = frec__symbol_options_add_folder, \
		 .data = (options), \
		 .help = "search programs and their debugging information below DIR/.build-id " \
			 "first; may be given several times"}, \
			{.name = "root", \
			 .value = "DIR", \
			 .text = &(options)->unwinder.root, \
			 .help = "search programs below DIR, as in a mounted image"}, \
		{ \
			0 \
		} \
	}

void frec__symbol_options_init(struct frec_symbol_options *options);

/* For .parse of --symbols. */
int frec__symbol_options_add_folder(void *options, const char *value, struct frec_error *reterr);

#endif
