// SPDX-License-Identifier: MIT
// Finds a part of a .frec file by its framing, checks it, and unpacks it.
#include "export/read/parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "export/read/wire.h"
#include "flightrec.pb-c.h"

#define FIRST_READ (4u << 10)

static const struct {
	const ProtobufCMessageDescriptor *descriptor;
	bool once;
} part_kinds[] = {
	[FREC_PART_HEADER] = {&flightrec__header__descriptor, true},
	[FREC_PART_SOURCE] = {&flightrec__source__descriptor},
	[FREC_PART_PROCESS] = {&flightrec__process__descriptor},
	[FREC_PART_TRIGGER] = {&flightrec__trigger__descriptor, true},
	[FREC_PART_CRASH] = {&flightrec__crash__descriptor, true},
	[FREC_PART_RECORDS] = {&flightrec__records__descriptor},
	[FREC_PART_CPU] = {&flightrec__cpu_coverage__descriptor},
	[FREC_PART_LOSS] = {&flightrec__loss__descriptor},
	[FREC_PART_CLOCKS] = {&flightrec__clocks__descriptor},
	[FREC_PART_END] = {&flightrec__end__descriptor, true},
	[FREC_PART_THREAD_STACK] = {&flightrec__thread_stack__descriptor},
	[FREC_PART_KERNEL_SYMBOLS] = {&flightrec__kernel_symbols__descriptor},
	[FREC_PART_SUMMARY] = {&flightrec__summary__descriptor, true},
	[FREC_PART_PROGRAM] = {&flightrec__program__descriptor},
};

// Fills the buffer with `size` bytes of the file from `offset` on. The first `have` of them are in
// it already. Returns 0, -EAGAIN if the file was truncated since it was opened, or another negative
// errno.
static int read_more(struct frec_part_reader *reader, uint64_t offset, size_t have, size_t size)
{
	if (size > reader->buffer_size) {
		uint8_t *buffer = realloc(reader->buffer, size);

		if (!buffer)
			return -ENOMEM;
		reader->buffer = buffer;
		reader->buffer_size = size;
	}
	while (have < size) {
		ssize_t n = pread(reader->fd, reader->buffer + have, size - have,
				  (off_t)(offset + have));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -EAGAIN; // the file was truncated since it was opened
		have += (size_t)n;
	}
	return 0;
}

int frec__part_read(struct frec_part_reader *reader, uint64_t offset, struct frec_part_view *ret)
{
	uint64_t left = reader->size - offset;
	size_t have = 0, size = FIRST_READ;

	// The size of a part is in its head, so this first reads the head with some of what follows
	// it, and then the rest of the part.
	for (;;) {
		int r;

		if (size > left)
			size = (size_t)left;
		r = read_more(reader, offset, have, size);
		if (!r)
			r = frec__part_next(reader->buffer, size, ret);
		if (r != -EAGAIN || size == left || !ret->size)
			return r;
		have = size;
		size = ret->size;
	}
}

bool frec__part_once(uint32_t field)
{
	return part_kinds[field].once;
}

int frec__part_unpack(const struct frec_part_view *view, uint64_t *memory, ProtobufCMessage **ret)
{
	const ProtobufCMessageDescriptor *descriptor = part_kinds[view->field].descriptor;
	uint64_t needed;

	if (frec__wire_measure(descriptor, view->body, view->body_size, &needed))
		return -EBADMSG;
	if (needed > *memory)
		return -E2BIG;
	*ret = protobuf_c_message_unpack(descriptor, NULL, view->body_size, view->body);
	if (!*ret)
		return -ENOMEM;
	*memory -= needed;
	return 0;
}

bool frec__part_is_damage(int r)
{
	return r == -EAGAIN || r == -EILSEQ || r == -EBADMSG || r == -E2BIG || r == -ENOTSUP;
}

const char *frec__part_why(int r)
{
	switch (r) {
	case -EAGAIN:
		return "the file ends inside a part: it was cut off";
	case -EILSEQ:
		return "the checksum of this part does not match: bytes were changed";
	case -EBADMSG:
		return "this is not a part of a snapshot";
	case -E2BIG:
		return "this part would take more memory than a file of this size may";
	case -ENOMEM:
		return "out of memory";
	default:
		return strerror(-r);
	}
}

void frec__part_reader_deinit(struct frec_part_reader *reader)
{
	free(reader->buffer);
	if (reader->fd >= 0)
		close(reader->fd);
	*reader = (struct frec_part_reader){.fd = -1};
}
