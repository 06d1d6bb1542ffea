// SPDX-License-Identifier: MIT
// Buffered output over proto/new_file.h, proto/new_folder.h or a descriptor.
#include "export/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/new_folder.h"

#define BUFFER_SIZE (64u << 10)

static int allocate(struct frec_output *output, struct frec_error *reterr)
{
	output->buffer = malloc(BUFFER_SIZE);
	if (output->buffer)
		return 0;
	frec__output_discard(output);
	return frec__error(reterr, -ENOMEM, "out of memory");
}

static void start(struct frec_output *output, enum frec_output_kind kind)
{
	*output = (struct frec_output){.kind = kind, .stream = -1};
	output->file.fd = output->file.folder = -1;
}

int frec__output_open(struct frec_output *output, const char *path, struct frec_error *reterr)
{
	int r;

	start(output, FREC_OUTPUT_FILE);
	r = frec__new_file_create(&output->file, path, reterr);
	return r ? r : allocate(output, reterr);
}

int frec__output_open_stream(struct frec_output *output, int fd, struct frec_error *reterr)
{
	start(output, FREC_OUTPUT_STREAM);
	output->stream = fd;
	return allocate(output, reterr);
}

int frec__output_open_folder(struct frec_output *output, const char *path,
			     struct frec_error *reterr)
{
	start(output, FREC_OUTPUT_FOLDER);
	return frec__new_folder_create(&output->file, path, reterr);
}

int frec__output_open_collector(struct frec_output *output,
				const struct frec_collector_options *options,
				struct frec_error *reterr)
{
	start(output, FREC_OUTPUT_STREAM);
	return frec__collector_create(&output->collector, options, reterr);
}

int frec__output_compress(struct frec_output *output, const struct frec_compression *compression,
			  struct frec_error *reterr)
{
	output->compressor = compression->create();
	if (output->compressor) {
		output->compression = compression;
		return 0;
	}
	frec__output_discard(output);
	return frec__error(reterr, -ENOMEM, "out of memory");
}

int frec__output_open_in(struct frec_output *output, struct frec_output *folder, const char *name,
			 struct frec_error *reterr)
{
	start(output, FREC_OUTPUT_FILE);
	output->in_folder = folder;
	output->stream =
		openat(folder->file.fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (output->stream < 0)
		return frec__error(reterr, -errno, "%s: cannot create %s in it: %s",
				   folder->file.path, name, strerror(errno));
	return allocate(output, reterr);
}

static int descriptor(const struct frec_output *output)
{
	return output->stream >= 0 ? output->stream : output->file.fd;
}

// Writes all of `data` at `offset`, or at the descriptor's current position if `offset` is
// negative.
static int write_all(int fd, const void *data, size_t size, off_t offset, struct frec_error *reterr)
{
	const char *p = data;

	while (size) {
		ssize_t n = offset < 0 ? write(fd, p, size) : pwrite(fd, p, size, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return frec__error(reterr, n ? -errno : -EIO, "cannot write the output: %s",
					   strerror(n ? errno : EIO));
		p += n;
		size -= (size_t)n;
		offset += offset < 0 ? 0 : n;
	}
	return 0;
}

static int write_plain(struct frec_output *output, const void *data, size_t size,
		       struct frec_error *reterr)
{
	if (output->stream < 0)
		return frec__new_file_write(&output->file, data, size, reterr);
	return write_all(output->stream, data, size, -1, reterr);
}

static int write_through(struct frec_output *output, const void *data, size_t size, bool last,
			 struct frec_error *reterr)
{
	output->written += size;
	if (output->in_folder)
		output->in_folder->written += size;
	if (!output->compression)
		return write_plain(output, data, size, reterr);
	frec__text_clear(&output->compressed);
	if (!output->compression->add(output->compressor, data, size, last, &output->compressed))
		return frec__error(reterr, -ENOMEM, "out of memory");
	return write_plain(output, output->compressed.data, output->compressed.size, reterr);
}

static int flush(struct frec_output *output, bool last, struct frec_error *reterr)
{
	size_t used = output->used;

	output->used = 0;
	return write_through(output, output->buffer, used, last, reterr);
}

int frec__output_write(struct frec_output *output, const void *data, size_t size,
		       struct frec_error *reterr)
{
	int r;

	if (output->collector) {
		output->written += size;
		return frec__collector_add(output->collector, data, size, reterr);
	}
	if (size > BUFFER_SIZE - output->used) {
		r = flush(output, false, reterr);
		if (r)
			return r;
	}
	if (size > BUFFER_SIZE)
		return write_through(output, data, size, false, reterr);
	if (size)
		memcpy(output->buffer + output->used, data, size);
	output->used += size;
	return 0;
}

int frec__output_text(struct frec_output *output, const struct frec_text *text,
		      struct frec_error *reterr)
{
	if (text->failed)
		return frec__error(reterr, -ENOMEM, "out of memory");
	return frec__output_write(output, text->data, text->size, reterr);
}

uint64_t frec__output_offset(const struct frec_output *output)
{
	return output->written + output->used;
}

int frec__output_patch(struct frec_output *output, uint64_t offset, const void *data, size_t size,
		       struct frec_error *reterr)
{
	int r = flush(output, false, reterr);

	return r ? r : write_all(descriptor(output), data, size, (off_t)offset, reterr);
}

static int commit_in_folder(struct frec_output *output, struct frec_error *reterr)
{
	int r = 0;

	if (fsync(output->stream) && errno != EINVAL && errno != EROFS)
		r = -errno;
	if (close(output->stream) && !r)
		r = -errno;
	output->stream = -1;
	if (!r)
		return 0;
	return frec__error(reterr, r, "cannot write the output: %s", strerror(-r));
}

int frec__output_commit(struct frec_output *output, struct frec_error *reterr)
{
	int r = output->buffer ? flush(output, true, reterr) : 0;

	if (output->collector)
		r = frec__collector_finish(output->collector, reterr);
	if (!r && output->in_folder)
		r = commit_in_folder(output, reterr);
	else if (!r && output->kind == FREC_OUTPUT_FOLDER)
		r = frec__new_folder_commit(&output->file, reterr);
	else if (!r && output->kind == FREC_OUTPUT_FILE)
		r = frec__new_file_commit(&output->file, reterr);
	frec__output_discard(output);
	return r;
}

void frec__output_discard(struct frec_output *output)
{
	if (output->kind == FREC_OUTPUT_FOLDER)
		frec__new_folder_discard(&output->file);
	else
		frec__new_file_discard(&output->file);
	if (output->in_folder && output->stream >= 0)
		close(output->stream);
	frec__collector_destroy(output->collector);
	output->collector = NULL;
	output->stream = -1;
	if (output->compression)
		output->compression->destroy(output->compressor);
	output->compression = NULL;
	frec__text_free(&output->compressed);
	free(output->buffer);
	output->buffer = NULL;
	output->used = 0;
}
