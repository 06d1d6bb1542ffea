// SPDX-License-Identifier: MIT
// Requests and replies in the wire format of protobuf. Part of libflightrec, so it depends on libc
// alone.
#include "recorder/service/control_message.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "recorder/service/control.h"

// Field numbers of control.proto.
enum { REQUEST_KIND = 1, REQUEST_NAME, REQUEST_PID, REQUEST_MISSING, REQUEST_PAIR };
enum { PAIR_KEY = 1, PAIR_VALUE };
enum { REPLY_DONE = 1, REPLY_ERROR, REPLY_TRANSPORT = 4, REPLY_AWAITED, REPLY_TRANSPORT_WHY = 7 };

// Wire types.
enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

// The most texts in a request, and the most bytes that are not part of a text: field numbers,
// lengths and numbers.
#define TEXTS_MAX (1 + 2 * FREC_REQUEST_PAIRS_MAX)
#define HEADS_MAX 192

// A message in pieces: the texts stay where the caller has them, because there is no room to copy
// them on the small stack of a signal handler.
struct writer {
	struct iovec piece[2 * TEXTS_MAX + 1];
	size_t count, size;
	uint8_t head[HEADS_MAX];
	size_t heads; // bytes used of `head`
	bool failed;
};

static void write_bytes(struct writer *writer, const void *data, size_t size)
{
	struct iovec *last = writer->count ? &writer->piece[writer->count - 1] : NULL;

	writer->size += size;
	if (last && (const uint8_t *)last->iov_base + last->iov_len == data)
		last->iov_len += size;
	else if (writer->count < sizeof(writer->piece) / sizeof(writer->piece[0]))
		writer->piece[writer->count++] =
			(struct iovec){.iov_base = (void *)data, .iov_len = size};
	else
		writer->failed = true;
}

static void write_varint(struct writer *writer, uint64_t value)
{
	do {
		if (writer->heads == HEADS_MAX) {
			writer->failed = true;
			return;
		}
		writer->head[writer->heads] = (uint8_t)(value & 0x7f) | (value > 0x7f ? 0x80 : 0);
		write_bytes(writer, &writer->head[writer->heads++], 1);
		value >>= 7;
	} while (value);
}

static void write_number(struct writer *writer, unsigned int field, uint64_t value)
{
	if (!value)
		return;
	write_varint(writer, field << 3 | VARINT);
	write_varint(writer, value);
}

static void write_text(struct writer *writer, unsigned int field, const char *text, size_t size)
{
	write_varint(writer, field << 3 | BYTES);
	write_varint(writer, size);
	if (size)
		write_bytes(writer, text, size);
}

// The encoded size of a field with a text of `size` bytes. The field's number is below 16.
static size_t text_size(size_t size)
{
	size_t varint = 1;

	for (size_t left = size; left > 0x7f; left >>= 7)
		varint++;
	return 1 + varint + size;
}

static void write_pair(struct writer *writer, const char *key, size_t key_size, const char *value)
{
	// Send one byte more than the recorder keeps, so that it sees that the value is too long.
	size_t size = strnlen(value, FREC_REQUEST_VALUE_MAX + 1);

	write_varint(writer, REQUEST_PAIR << 3 | BYTES);
	write_varint(writer, text_size(key_size) + text_size(size));
	write_text(writer, PAIR_KEY, key, key_size);
	write_text(writer, PAIR_VALUE, value, size);
}

static void write_request(struct writer *writer, const struct frec_request *request)
{
	writer->count = writer->size = writer->heads = 0;
	writer->failed = false;
	write_number(writer, REQUEST_KIND, request->kind);
	if (request->name)
		write_text(writer, REQUEST_NAME, request->name, strlen(request->name));
	write_number(writer, REQUEST_PID, request->pid);
	write_number(writer, REQUEST_MISSING, request->missing);
	for (size_t i = 0; i < request->pairs && !writer->failed; i++) {
		const char *key = request->pair[2 * i], *value = request->pair[2 * i + 1];

		write_pair(writer, key, strlen(key), value ? value : "(null)");
	}
	for (size_t i = 0; request->tags && request->tags[i] && !writer->failed; i++) {
		size_t size = strcspn(request->tags[i], "=");
		const char *value = request->tags[i] + size;

		write_pair(writer, request->tags[i], size, *value ? value + 1 : value);
	}
}

bool frec__request_key_valid(const char *key, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (i == FREC_REQUEST_KEY_MAX || key[i] <= ' ' || key[i] > '~' || key[i] == '=')
			return false;
	}
	return size > 0;
}

ssize_t frec__request_encode(const struct frec_request *request, uint8_t *ret, size_t size)
{
	struct writer writer;
	size_t at = 0;

	write_request(&writer, request);
	if (writer.failed || writer.size > size)
		return -EMSGSIZE;
	for (size_t i = 0; i < writer.count; i++) {
		memcpy(ret + at, writer.piece[i].iov_base, writer.piece[i].iov_len);
		at += writer.piece[i].iov_len;
	}
	return (ssize_t)at;
}

struct reader {
	const uint8_t *at, *end;
};

static bool read_varint(struct reader *reader, uint64_t *ret)
{
	*ret = 0;
	for (unsigned int shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
		uint8_t byte = *reader->at++;

		*ret |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return true;
	}
	return false;
}

static bool skip(struct reader *reader, uint64_t size)
{
	if (size > (uint64_t)(reader->end - reader->at))
		return false;
	reader->at += size;
	return true;
}

// A decoded field. If its type is BYTES, `data` is where the bytes begin and `value` is their
// number.
struct field {
	uint64_t number, value;
	unsigned int type;
	const uint8_t *data;
};

static bool read_field(struct reader *reader, struct field *ret)
{
	uint64_t tag;

	if (!read_varint(reader, &tag) || !(tag >> 3))
		return false;
	*ret = (struct field){.number = tag >> 3, .type = tag & 7};
	switch (ret->type) {
	case VARINT:
		return read_varint(reader, &ret->value);
	case FIXED64:
		return skip(reader, 8);
	case FIXED32:
		return skip(reader, 4);
	case BYTES:
		if (!read_varint(reader, &ret->value))
			return false;
		ret->data = reader->at;
		return skip(reader, ret->value);
	default:
		return false;
	}
}

static bool store_text(char *ret, const struct field *field)
{
	size_t size =
		field->value < FREC_REPLY_TEXT_MAX ? (size_t)field->value : FREC_REPLY_TEXT_MAX - 1;

	if (field->type != BYTES)
		return false;
	memcpy(ret, field->data, size);
	ret[size] = 0;
	return true;
}

static bool store_field(struct frec_reply *reply, const struct field *field)
{
	switch (field->number) {
	case REPLY_DONE:
		reply->done = field->value;
		return field->type == VARINT;
	case REPLY_TRANSPORT:
		reply->transport = field->value;
		return field->type == VARINT;
	case REPLY_AWAITED:
		reply->awaited = field->value;
		return field->type == VARINT;
	case REPLY_ERROR:
		return store_text(reply->error, field);
	case REPLY_TRANSPORT_WHY:
		return store_text(reply->transport_why, field);
	default:
		return true;
	}
}

int frec__reply_decode(const uint8_t *data, size_t size, struct frec_reply *ret)
{
	struct reader reader = {.at = data, .end = data + size};
	struct frec_reply reply = {.done = false};
	struct field field;

	while (reader.at < reader.end) {
		if (!read_field(&reader, &field) || !store_field(&reply, &field))
			return -EBADMSG;
	}
	*ret = reply;
	return 0;
}

int frec__request_send(int socket, const struct frec_request *request, int fd)
{
	struct writer writer;

	write_request(&writer, request);
	if (writer.failed || writer.size > FREC_REQUEST_SIZE_MAX)
		return -EMSGSIZE;
	return frec__control_send_pieces(socket, writer.piece, writer.count, fd);
}

int frec__reply_receive(int socket, struct frec_reply *ret, int *ret_fd, int milliseconds)
{
	// This is larger than any reply that the function is used for. Replies to TRIGGER and
	// STATUS, which can be larger, are read elsewhere.
	uint8_t data[1024];
	int fd, r;
	ssize_t size = frec__control_receive(socket, data, sizeof(data), ret_fd ? &fd : NULL,
					     milliseconds);

	if (ret_fd)
		*ret_fd = -1;
	if (size <= 0)
		return size ? (int)size : -EPIPE;
	r = frec__reply_decode(data, (size_t)size, ret);
	if (ret_fd && !r)
		*ret_fd = fd;
	else if (ret_fd && fd >= 0)
		close(fd);
	return r;
}
