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

int frec__symbol_options_add_folder(void *data, const char *value, struct frec_error *reterr)
{
	struct frec_symbol_options *options = data;

	if (options->unwinder.folder_count == FREC_SYMBOL_FOLDERS_MAX)
		return frec__error(reterr, -E2BIG, "--symbols %s: no more than %d of these", value,
				   FREC_SYMBOL_FOLDERS_MAX);
	options->folders[options->unwinder.folder_count++] = value;
	return 0;
}
