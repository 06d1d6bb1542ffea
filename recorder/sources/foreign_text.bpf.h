/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Copies a text to the end of a record. A __rel_loc word in the field of the argument refers to the
 * text. What cannot be read of it is replaced by "(not in memory)". */
#ifndef FREC_RECORDER_SOURCES_FOREIGN_TEXT_BPF_H
#define FREC_RECORDER_SOURCES_FOREIGN_TEXT_BPF_H

#include "recorder/sources/foreign_record.h"

#define FREC_BPF_BUFFER_SLACK FREC_FOREIGN_TEXT_MAX
#include "recorder/sources/bpf_buffers.bpf.h"

/* The smallest page size of all machines. On every machine, the bytes up to the next multiple of
 * this are in one page. */
#define PAGE 4096ul

static __always_inline long frec_read(int user, void *to, __u32 size, const void *from)
{
	return user ? bpf_probe_read_user(to, size, from) : bpf_probe_read_kernel(to, size, from);
}

static __always_inline __u32 frec_write_words(__u8 *to, const char *words, __u32 size)
{
	__builtin_memcpy(to, words, size);
	return size;
}

/* Writes what is in memory of a text, part of which is not: at most the rest of its first page. */
static __always_inline __u32 frec_write_torn(struct frec_bpf_buffer *buffer, __u32 at, __u32 room,
					     const void *text, int user)
{
	__u32 first = PAGE - ((unsigned long)text & (PAGE - 1));
	__u8 *to = buffer->data + at;

	if (first > room - sizeof(FREC_FOREIGN_ABSENT))
		first = room - sizeof(FREC_FOREIGN_ABSENT);
	if (frec_read(user, to, first, text))
		first = 0;
	return first +
	       frec_write_words(to + first, FREC_FOREIGN_ABSENT, sizeof(FREC_FOREIGN_ABSENT));
}

/*
 * Writes `text` at offset `at` of the record, but at most `room` bytes. If `user` is not 0, `text`
 * is in user space, else in the kernel. Returns the number of bytes written, including the NUL. A
 * text that was cut ends in two NULs.
 */
static __always_inline __u32 frec_write_text(struct frec_bpf_buffer *buffer, __u32 at, __u32 room,
					     const void *text, int user)
{
	__u8 *to, last;
	long size;

	if (at > FREC_BPF_RECORD_MAX || room > FREC_FOREIGN_TEXT_MAX)
		return 0;
	/* Without this line the compiler merges both bounds of `room` into one comparison, from
	 * which some verifiers do not learn the upper bound. */
	barrier_var(room);
	if (room < 2 * sizeof(FREC_FOREIGN_ABSENT))
		return 0;
	to = buffer->data + at;
	if (!text)
		return frec_write_words(to, FREC_FOREIGN_NULL, sizeof(FREC_FOREIGN_NULL));
	size = user ? bpf_probe_read_user_str(to, room, text)
		    : bpf_probe_read_kernel_str(to, room, text);
	if (!size) { /* some kernels do not count the NUL of an empty text */
		to[0] = 0;
		return 1;
	}
	if (size > 0 && size < room)
		return size;
	if (size >= 0) {
		/* The text fills the room exactly, or it was cut. */
		if (frec_read(user, &last, 1, text + room - 1) || last)
			to[room - 2] = 0;
		return room;
	}
	return frec_write_torn(buffer, at, room, text, user);
}

/*
 * Writes `length` bytes of the text at `text`, which is in user space, at offset `at` of the
 * record, but at most `room` bytes. Returns the number of bytes written, including the NULs that
 * Field.counted of proto/flightrec.proto tells of.
 */
static __always_inline __u32 frec_write_counted(struct frec_bpf_buffer *buffer, __u32 at,
						__u32 room, const void *text, __u64 length)
{
	__u8 *to;
	__u32 size;

	if (at > FREC_BPF_RECORD_MAX || room > FREC_FOREIGN_TEXT_MAX)
		return 0;
	barrier_var(room);
	if (room < 2 * sizeof(FREC_FOREIGN_ABSENT))
		return 0;
	to = buffer->data + at;
	if (!length) {
		to[0] = 0;
		return 1;
	}
	if (!text)
		return frec_write_words(to, FREC_FOREIGN_NULL, sizeof(FREC_FOREIGN_NULL));
	size = length < room - 2 ? length : room - 2;
	if (size > FREC_FOREIGN_TEXT_MAX - 2)
		return 0;
	barrier_var(size);
	if (size > FREC_FOREIGN_TEXT_MAX - 2)
		return 0;
	if (bpf_probe_read_user(to, size, text))
		return frec_write_torn(buffer, at, room, text, 1);
	to += size;
	to[0] = to[1] = 0;
	/* One NUL is enough, unless the text was cut or ends in a NUL itself. */
	return size + (size == length && to[-1] ? 1 : 2);
}

/* Returns the __rel_loc word in the field of argument `n` for a text of `size` bytes at offset
 * `at`. */
static __always_inline __u64 frec_text_word(__u32 n, __u32 at, __u32 size)
{
	return (__u64)(size << 16 | (at - (FREC_FOREIGN_ARGUMENT_OFFSET(n) + 4)));
}

#endif
