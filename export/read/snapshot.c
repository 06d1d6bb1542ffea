// SPDX-License-Identifier: MIT
// Opens a .frec file: walks its parts, unpacks the small ones, indexes the records, and stops at
// the first bad byte. parts.c reads one part, and chunk.c reads the records of one Records part.
#include "export/read/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/grow.h"

#define VERSION 1

static int damaged(struct frec_snapshot *snapshot, uint64_t offset, int code, const char *why)
{
	return frec__error(&snapshot->damage, code,
			   "%s: byte %" PRIu64 ": %s; nothing from there on was read",
			   snapshot->name, offset, why);
}

static int append(struct frec_part_list *list, void *item)
{
	if (!frec__grow(&list->items, list->count, sizeof(*list->items)))
		return -ENOMEM;
	list->items[list->count++] = item;
	return 0;
}

// Adds a Records part to the index. Returns 0, -EBADMSG if this is not a Records part, -E2BIG if
// all records together are too large, or -ENOMEM.
static int add_chunk(struct frec_snapshot *snapshot, uint64_t offset,
		     const struct frec_part_view *view)
{
	struct frec_chunk_content content;
	struct frec_chunk_view chunk;

	if (!frec__chunk_describe(view, &chunk, &content))
		return -EBADMSG;
	if (chunk.size > snapshot->records_left)
		return -E2BIG;
	snapshot->records_left -= chunk.size;
	chunk.offset = offset;
	chunk.part_size = (uint32_t)view->size;
	if (!frec__grow(&snapshot->chunks, snapshot->chunk_count, sizeof(chunk)))
		return -ENOMEM;
	snapshot->chunks[snapshot->chunk_count++] = chunk;
	return 0;
}

// Adds the message in a part. Returns 0, -EBADMSG if the message is not a valid one of the kind
// that its field number indicates, -E2BIG if it takes too much memory, or -ENOMEM.
static int add_message(struct frec_snapshot *snapshot, const struct frec_part_view *view)
{
	ProtobufCMessage *message;
	int r;

	if (view->field == FREC_PART_CLOCKS &&
	    snapshot->lists[view->field].count == FREC_LIMIT_CLOCKS) {
		snapshot->left_out->clocks++;
		return 0;
	}
	r = frec__part_unpack(view, &snapshot->tables_left, &message);
	if (r)
		return r;
	frec__limits_trim(snapshot->left_out, view->field, message);
	r = append(&snapshot->lists[view->field], message);
	if (r)
		protobuf_c_message_free_unpacked(message, NULL);
	else if (view->field == FREC_PART_END)
		snapshot->end = (Flightrec__End *)message;
	return r;
}

// Adds one complete part. Returns 0, or a negative errno after setting the snapshot's damage.
static int add_part(struct frec_snapshot *snapshot, uint64_t offset,
		    const struct frec_part_view *view)
{
	int r;

	if (snapshot->end)
		return damaged(snapshot, offset, -EBADMSG, "bytes follow the End part");
	// A later flightrec wrote this part. Readers skip the kinds that they do not know.
	if (view->field > FREC_PART_LAST) {
		snapshot->unknown_parts++;
		return 0;
	}
	if (frec__part_once(view->field) && snapshot->lists[view->field].count)
		return damaged(snapshot, offset, -EBADMSG,
			       "a part of which a file may have only one is here again");
	r = view->field == FREC_PART_RECORDS ? add_chunk(snapshot, offset, view)
					     : add_message(snapshot, view);
	if (r == -EBADMSG)
		return damaged(snapshot, offset, r,
			       "the checksum is right, but this is not a message of this format");
	if (r == -E2BIG)
		return damaged(snapshot, offset, r,
			       view->field == FREC_PART_RECORDS
				       ? "the records up to here are more than a file of this size "
					 "may hold"
				       : frec__part_why(r));
	if (r)
		return damaged(snapshot, offset, r, strerror(-r));
	return 0;
}

static int check_header(struct frec_snapshot *snapshot, struct frec_error *reterr)
{
	const Flightrec__Header *header = snapshot->header;

	if (header->magic.len != 4 || memcmp(header->magic.data, "FREC", 4))
		return frec__error(reterr, -EBADMSG, "%s: not a .frec file", snapshot->name);
	if (header->version > VERSION)
		return frec__error(
			reterr, -ENOTSUP,
			"%s: written in version %u of the format by flightrec %.32s; this one "
			"reads up to %d: use a newer flightrec",
			snapshot->name, header->version, header->writer, VERSION);
	return 0;
}

static int walk(struct frec_snapshot *snapshot, struct frec_error *reterr)
{
	struct frec_part_view view;
	uint64_t offset = 0;
	int r;

	while (offset < snapshot->reader.size) {
		r = frec__part_read(&snapshot->reader, offset, &view);
		if (r && !frec__part_is_damage(r))
			return frec__error(reterr, r, "%s: cannot read it: %s", snapshot->name,
					   frec__part_why(r));
		if (!offset && (r == -EBADMSG || (!r && view.field != FREC_PART_HEADER)))
			return frec__error(reterr, -EBADMSG, "%s: not a .frec file",
					   snapshot->name);
		if (r) {
			damaged(snapshot, offset, r, frec__part_why(r));
			break;
		}
		r = add_part(snapshot, offset, &view);
		if (r == -ENOMEM)
			return frec__error(reterr, r, "%s: out of memory", snapshot->name);
		if (r)
			break;
		if (!offset) {
			snapshot->header = snapshot->lists[FREC_PART_HEADER].items[0];
			r = check_header(snapshot, reterr);
			if (r)
				return r;
		}
		offset += view.size;
		if (!snapshot->end)
			snapshot->part_count++;
	}
	if (!snapshot->header) {
		if (reterr)
			*reterr = snapshot->damage;
		return snapshot->damage.code;
	}
	if (!snapshot->end && !snapshot->damage.code)
		damaged(snapshot, offset, -EAGAIN,
			"the file ends without an End part: it was cut off");
	return 0;
}

static int compare_sources(const void *a, const void *b, void *data)
{
	const struct frec_snapshot *snapshot = data;
	const uint32_t *x = a, *y = b;
	uint32_t p = snapshot->sources[*x]->id, q = snapshot->sources[*y]->id;

	// Equal ids are in the order of the file, so the search finds the first source with an id.
	return p != q ? (p > q) - (p < q) : (*x > *y) - (*x < *y);
}

static int compare_losses(const void *a, const void *b, void *data)
{
	const struct frec_snapshot *snapshot = data;
	const uint32_t *x = a, *y = b;
	uint32_t p = snapshot->losses[*x]->source, q = snapshot->losses[*y]->source;

	return p != q ? (p > q) - (p < q) : (*x > *y) - (*x < *y);
}

static int finish(struct frec_snapshot *snapshot, struct frec_error *reterr)
{
	const struct frec_part_list *lists = snapshot->lists;

	snapshot->sources = (Flightrec__Source **)lists[FREC_PART_SOURCE].items;
	snapshot->source_count = lists[FREC_PART_SOURCE].count;
	snapshot->processes = (Flightrec__Process **)lists[FREC_PART_PROCESS].items;
	snapshot->process_count = lists[FREC_PART_PROCESS].count;
	snapshot->cpus = (Flightrec__CpuCoverage **)lists[FREC_PART_CPU].items;
	snapshot->cpu_count = lists[FREC_PART_CPU].count;
	snapshot->losses = (Flightrec__Loss **)lists[FREC_PART_LOSS].items;
	snapshot->loss_count = lists[FREC_PART_LOSS].count;
	snapshot->clocks = (Flightrec__Clocks **)lists[FREC_PART_CLOCKS].items;
	snapshot->clocks_count = lists[FREC_PART_CLOCKS].count;
	snapshot->thread_stacks = (Flightrec__ThreadStack **)lists[FREC_PART_THREAD_STACK].items;
	snapshot->thread_stack_count = lists[FREC_PART_THREAD_STACK].count;
	snapshot->kernel_symbols =
		(Flightrec__KernelSymbols **)lists[FREC_PART_KERNEL_SYMBOLS].items;
	snapshot->kernel_symbols_count = lists[FREC_PART_KERNEL_SYMBOLS].count;
	snapshot->programs = (Flightrec__Program **)lists[FREC_PART_PROGRAM].items;
	snapshot->program_count = lists[FREC_PART_PROGRAM].count;
	if (lists[FREC_PART_TRIGGER].count)
		snapshot->trigger = lists[FREC_PART_TRIGGER].items[0];
	if (lists[FREC_PART_CRASH].count)
		snapshot->crash = lists[FREC_PART_CRASH].items[0];

	snapshot->source_order_count = snapshot->source_count;
	snapshot->source_ids_in_order = true;
	snapshot->source_order = calloc(snapshot->source_count + 1, sizeof(uint32_t));
	snapshot->loss_order = calloc(snapshot->loss_count + 1, sizeof(uint32_t));
	if (!snapshot->source_order || !snapshot->loss_order)
		return frec__error(reterr, -ENOMEM, "%s: out of memory", snapshot->name);
	for (size_t i = 0; i < snapshot->source_count; i++) {
		snapshot->source_order[i] = (uint32_t)i;
		snapshot->source_ids_in_order &= snapshot->sources[i]->id == i + 1;
	}
	qsort_r(snapshot->source_order, snapshot->source_count, sizeof(uint32_t), compare_sources,
		snapshot);
	for (size_t i = 0; i < snapshot->loss_count; i++)
		snapshot->loss_order[i] = (uint32_t)i;
	qsort_r(snapshot->loss_order, snapshot->loss_count, sizeof(uint32_t), compare_losses,
		snapshot);
	return 0;
}

int frec__snapshot_add_source(struct frec_snapshot *snapshot, Flightrec__Source *source)
{
	struct frec_part_list *list = &snapshot->lists[FREC_PART_SOURCE];
	int r = append(list, source);

	if (r)
		return r;
	snapshot->sources = (Flightrec__Source **)list->items;
	snapshot->source_count = list->count;
	return 0;
}

int frec__snapshot_open_fd(struct frec_snapshot *ret, int fd, const char *name,
			   struct frec_error *reterr)
{
	struct stat status;
	int r;

	*ret = (struct frec_snapshot){.reader.fd = fd,
				      .name = strdup(name),
				      .left_out = calloc(1, sizeof(*ret->left_out))};
	if (!ret->name || !ret->left_out) {
		free(ret->name);
		free(ret->left_out);
		close(fd);
		*ret = (struct frec_snapshot){.reader.fd = -1};
		return frec__error(reterr, -ENOMEM, "%s: out of memory", name);
	}
	if (fstat(fd, &status))
		r = frec__error(reterr, -errno, "%s: %s", name, strerror(errno));
	else if (!S_ISREG(status.st_mode))
		r = frec__error(reterr, -EINVAL, "%s: not a regular file", name);
	else if (!status.st_size)
		r = frec__error(reterr, -ENODATA, "%s: byte 0: the file is empty", name);
	else {
		ret->reader.size = (uint64_t)status.st_size;
		ret->tables_left = FREC_LIMIT_TABLES(ret->reader.size);
		ret->records_left = FREC_LIMIT_RECORDS(ret->reader.size);
		frec__left_out_init(ret->left_out, ret->reader.size);
		r = walk(ret, reterr);
		if (!r)
			r = finish(ret, reterr);
	}
	if (r)
		frec__snapshot_close(ret);
	return r;
}

int frec__snapshot_open(struct frec_snapshot *ret, const char *path, struct frec_error *reterr)
{
	// O_NONBLOCK, so that a FIFO is rejected rather than waited for.
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return frec__error(reterr, -errno, "%s: cannot open it: %s", path, strerror(errno));
	return frec__snapshot_open_fd(ret, fd, path, reterr);
}

void frec__snapshot_close(struct frec_snapshot *snapshot)
{
	if (!snapshot->name)
		return;
	for (size_t kind = 0; kind <= FREC_PART_LAST; kind++) {
		struct frec_part_list *list = &snapshot->lists[kind];

		for (size_t i = 0; i < list->count; i++)
			protobuf_c_message_free_unpacked(list->items[i], NULL);
		free(list->items);
	}
	free(snapshot->chunks);
	free(snapshot->source_order);
	free(snapshot->loss_order);
	free(snapshot->left_out);
	frec__part_reader_deinit(&snapshot->reader);
	free(snapshot->name);
	*snapshot = (struct frec_snapshot){.reader.fd = -1};
}

size_t frec__snapshot_source(const struct frec_snapshot *snapshot, uint64_t id)
{
	size_t low = 0, high = snapshot->source_order_count;

	if (snapshot->source_ids_in_order)
		return id - 1 < high ? (size_t)id - 1 : SIZE_MAX;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (snapshot->sources[snapshot->source_order[middle]]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == snapshot->source_order_count ||
	    snapshot->sources[snapshot->source_order[low]]->id != id)
		return SIZE_MAX;
	return snapshot->source_order[low];
}

size_t frec__snapshot_loss(const struct frec_snapshot *snapshot, uint32_t id)
{
	size_t low = 0, high = snapshot->loss_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (snapshot->losses[snapshot->loss_order[middle]]->source < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int frec__snapshot_read_chunk(struct frec_snapshot *snapshot, const struct frec_chunk_view *chunk,
			      struct frec_chunk_data *data, struct frec_error *reterr)
{
	const char *why;
	int r = frec__chunk_read(&snapshot->reader, chunk->offset, data, &why);

	if (r && !frec__part_is_damage(r))
		snapshot->left_out->failed = r;
	return r ? frec__error(reterr, r, "%s: byte %" PRIu64 ": %s", snapshot->name, chunk->offset,
			       why)
		 : 0;
}
