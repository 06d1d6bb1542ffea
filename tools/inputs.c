// SPDX-License-Identifier: MIT
// Snapshot files, opened together.
#include "export/read/input.h"
#include "tools/inputs.h"

#include <errno.h>
#include <stdlib.h>

int frec__inputs_open(struct frec_inputs *inputs, char *const *paths, size_t count,
		      struct frec_error *reterr)
{
	int result = 0;

	inputs->space = calloc(count, sizeof(*inputs->space));
	inputs->snapshots = calloc(count, sizeof(struct frec_snapshot *));
	if (!inputs->space || !inputs->snapshots)
		result = frec__error(reterr, -ENOMEM, "out of memory");
	while (!result && inputs->count < count) {
		struct frec_snapshot *snapshot = &inputs->space[inputs->count];

		result = frec__input_open(snapshot, paths[inputs->count], reterr);
		if (!result)
			inputs->snapshots[inputs->count++] = snapshot;
	}
	if (result)
		frec__inputs_close(inputs);
	return result;
}

void frec__inputs_close(struct frec_inputs *inputs)
{
	while (inputs->count)
		frec__input_close(&inputs->space[--inputs->count]);
	free(inputs->space);
	free(inputs->snapshots);
	*inputs = (struct frec_inputs){0};
}
