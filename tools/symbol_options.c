// SPDX-License-Identifier: MIT
// --symbols and --root.
#include "tools/symbol_options.h"

#include <errno.h>

void frec__symbol_options_init(struct frec_symbol_options *options)
{
	*options = (struct frec_symbol_options){
		.unwinder = {.size = sizeof(options->unwinder), .debuginfod = true}};
	options->unwinder.folders = options->folders;
}

int frec__symbol_options_take(struct frec_symbol_options *options, int option, const char *value)
{
	if (option == FREC_OPTION_ROOT) {
		options->unwinder.root = value;
		return 1;
	}
	if (option != FREC_OPTION_SYMBOLS)
		return 0;
	if (options->unwinder.folder_count == FREC_SYMBOL_FOLDERS_MAX)
		return -E2BIG;
	options->folders[options->unwinder.folder_count++] = value;
	return 1;
}
