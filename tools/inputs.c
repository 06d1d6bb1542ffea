// SPDX-License-Identifier: MIT
// Snapshot files, opened together.
#include "tools/inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "export/read/input.h"

int frec__inputs_open(struct frec_inputs *inputs, char *const *paths, size_t count,
		      struct frec_error *reterr)
{
	int r = 0;

	inputs->paths = paths;
	inputs->files = calloc(count, sizeof(*inputs->files));
	inputs->space = calloc(count, sizeof(*inputs->space));
	inputs->snapshots = calloc(count, sizeof(struct frec_snapshot *));
	if (!inputs->files || !inputs->space || !inputs->snapshots)
		r = frec__error(reterr, -ENOMEM, "out of memory");
	while (!r && inputs->file_count < count) {
		const char *path = paths[inputs->file_count];
		// O_NONBLOCK, so that a FIFO is rejected rather than waited for.
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

		if (fd < 0)
			r = frec__error(reterr, -errno, "%s: cannot open it: %s", path,
					strerror(errno));
		else
			inputs->files[inputs->file_count++] = fd;
	}
	if (r)
		frec__inputs_close(inputs);
	return r;
}

int frec__inputs_read(struct frec_inputs *inputs, struct frec_error *reterr)
{
	int r = 0;

	while (!r && inputs->count < inputs->file_count) {
		struct frec_snapshot *snapshot = &inputs->space[inputs->count];
		int fd = inputs->files[inputs->count];

		inputs->files[inputs->count] = -1;
		r = frec__input_open_fd(snapshot, fd, inputs->paths[inputs->count], reterr);
		if (!r)
			inputs->snapshots[inputs->count++] = snapshot;
	}
	return r;
}

void frec__inputs_close(struct frec_inputs *inputs)
{
	while (inputs->count)
		frec__input_close(&inputs->space[--inputs->count]);
	while (inputs->file_count) {
		if (inputs->files[--inputs->file_count] >= 0)
			close(inputs->files[inputs->file_count]);
	}
	free(inputs->files);
	free(inputs->space);
	free(inputs->snapshots);
	*inputs = (struct frec_inputs){0};
}
