// SPDX-License-Identifier: MIT
// Creates and destroys unwinders, with their options and modules.
#include <errno.h>
#include <stdlib.h>

#include "unwind/module.h"

static void free_options(struct frec_unwinder_options *options)
{
	for (size_t i = 0; options->folders && i < options->folder_count; i++)
		free((char *)(uintptr_t)options->folders[i]);
	free((void *)(uintptr_t)options->folders);
	free((char *)(uintptr_t)options->root);
}

static int copy_options(struct frec_unwinder_options *options)
{
	const char *const *folders = options->folders;
	const char *root = options->root;
	char **copies = calloc(options->folder_count + 1, sizeof(*copies));

	options->root = NULL;
	options->folders = (const char *const *)copies;
	if (!copies)
		return -ENOMEM;
	if (root && !(options->root = strdup(root)))
		return -ENOMEM;
	for (size_t i = 0; i < options->folder_count; i++) {
		copies[i] = strdup(folders[i]);
		if (!copies[i])
			return -ENOMEM;
	}
	return 0;
}

int frec__unwinder_create(const struct frec_registers *machine,
			  const struct frec_unwinder_options *options, struct frec_unwinder **ret)
{
	struct frec_unwinder *unwinder;
	int r;

	if (options && options->size != sizeof(*options))
		return -EINVAL;
	unwinder = calloc(1, sizeof(*unwinder));
	if (!unwinder)
		return -ENOMEM;
	unwinder->machine = machine;
	if (options)
		unwinder->options = *options;
	r = copy_options(&unwinder->options);
	if (r)
		frec__unwinder_destroy(unwinder);
	else
		*ret = unwinder;
	return r;
}

void frec__unwinder_destroy(struct frec_unwinder *unwinder)
{
	if (!unwinder)
		return;
	for (size_t i = 0; i < unwinder->module_count; i++)
		frec__module_destroy(unwinder->modules[i]);
	free(unwinder->modules);
	frec__table_free(&unwinder->module_indices);
	free_options(&unwinder->options);
	free(unwinder);
}
