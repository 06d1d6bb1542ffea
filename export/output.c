// SPDX-License-Identifier: MIT
// Buffered output over proto/new_file.h or a descriptor.
#include "export/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_SIZE (256u << 10)

static int allocate(struct frec_output *output, struct frec_error *reterr)
{
	output->buffer = malloc(BUFFER_SIZE);
	if (output->buffer)
		return 0;
	frec__output_discard(output);
	return frec__error(reterr, -ENOMEM, "out of memory");
}

int frec__output_open(struct frec_output *output, const char *path, struct frec_error *reterr)
{
	int result;

	*output = (struct frec_output){.stream = -1};
	result = frec__new_file_create(&output->file, path, reterr);
	return result ? result : allocate(output, reterr);
}

int frec__output_open_stream(struct frec_output *output, int fd, struct frec_error *reterr)
{
	*output = (struct frec_output){.is_stream = true, .stream = fd};
	output->file.fd = output->file.folder = -1;
	return allocate(output, reterr);
}

static int write_through(struct frec_output *output, const void *data, size_t size,
			 struct frec_error *reterr)
{
	const char *p = data;

	if (!output->is_stream)
		return frec__new_file_write(&output->file, data, size, reterr);
	while (size) {
		ssize_t n = write(output->stream, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return frec__error(reterr, n ? -errno : -EIO, "cannot write the output: %s",
					   strerror(n ? errno : EIO));
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

static int flush(struct frec_output *output, struct frec_error *reterr)
{
	size_t used = output->used;

	output->used = 0;
	return write_through(output, output->buffer, used, reterr);
}

int frec__output_write(struct frec_output *output, const void *data, size_t size,
		       struct frec_error *reterr)
{
	int result;

	if (size > BUFFER_SIZE - output->used) {
		result = flush(output, reterr);
		if (result)
			return result;
	}
	if (size > BUFFER_SIZE)
		return write_through(output, data, size, reterr);
	if (size)
		memcpy(output->buffer + output->used, data, size);
	output->used += size;
	return 0;
}

int frec__output_commit(struct frec_output *output, struct frec_error *reterr)
{
	int result = flush(output, reterr);

	if (!result && !output->is_stream)
		result = frec__new_file_commit(&output->file, reterr);
	frec__output_discard(output);
	return result;
}

void frec__output_discard(struct frec_output *output)
{
	frec__new_file_discard(&output->file);
	free(output->buffer);
	output->buffer = NULL;
	output->used = 0;
}
