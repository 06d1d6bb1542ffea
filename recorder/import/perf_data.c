// SPDX-License-Identifier: MIT
// Reads perf.data from front to end. A file begins with this header:
//
//	"PERFILE2"		magic
//	u64			size of the header
//	u64			size of an attribute
//	u64 offset, u64 size	the attributes
//	u64 offset, u64 size	the records
//	u64 offset, u64 size	(unused)
//	256 bits		which features the file has
//
// After the records, the file has u64 offset and u64 size of each of these features. In the pipe
// format the header ends after the field with its size, and records replace the tables. Both
// formats may have compressed records. Compressed records are pieces of one Zstandard stream, which
// perf split wherever it flushed the stream, so a piece can end within a record.
#include "recorder/import/perf_data.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "proto/bytes.h"
#include "proto/cleanup.h"
#include "recorder/import/perf_data_describe.h"

#define HEADER_SIZE 104
#define PIPE_HEADER_SIZE 16
// Neither the kernel (below 64) nor perf (below 128) has types of records that are higher. So text
// that was written into the same pipe is not taken for records.
#define RECORD_TYPE_MAX 1023
#define INPUT_ROOM (256u << 10)
#define UNPACKED_ROOM (256u << 10)

static int bad(const struct frec_perf_data *data, uint64_t offset, const char *what,
	       struct frec_error *reterr)
{
	return frec__error(reterr, -EBADMSG, "%s: byte %" PRIu64 ": %s", data->name, offset, what);
}

// Buffers `wanted` bytes, or fewer at the end of the input. Returns how many bytes are buffered, or
// a negative errno.
static ssize_t fill(struct frec_perf_data *data, size_t wanted, struct frec_error *reterr)
{
	struct frec_perf_input *input = &data->input;

	if (input->size - input->at >= wanted)
		return (ssize_t)(input->size - input->at);
	memmove(input->data, input->data + input->at, input->size - input->at);
	input->size -= input->at;
	input->at = 0;
	while (input->size < wanted) {
		size_t room = INPUT_ROOM - input->size;
		uint64_t until = input->end - input->offset - input->size;
		ssize_t n;

		if (input->end != UINT64_MAX && room > until)
			room = (size_t)until;
		if (!room)
			break;
		n = input->seekable ? pread(input->fd, input->data + input->size, room,
					    (off_t)(input->offset + input->size))
				    : read(input->fd, input->data + input->size, room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return frec__error(reterr, -errno, "%s: cannot be read: %s", data->name,
					   strerror(errno));
		if (!n)
			break;
		input->size += (size_t)n;
	}
	return (ssize_t)input->size;
}

static const uint8_t *consume(struct frec_perf_data *data, size_t size)
{
	const uint8_t *p = data->input.data + data->input.at;

	data->input.at += size;
	data->input.offset += size;
	return p;
}

// Reads a table into memory. The caller frees *ret.
static int read_table(struct frec_perf_data *data, uint64_t offset, uint64_t size, uint8_t **ret,
		      struct frec_error *reterr)
{
	FREC_FREE uint8_t *table = NULL;
	size_t have = 0;

	if (size > FREC_PERF_TABLE_MAX)
		return bad(data, offset, "a table that begins here is too large", reterr);
	table = malloc((size_t)size + 1);
	if (!table)
		return frec__error(reterr, -ENOMEM, "%s: out of memory", data->name);
	while (have < size) {
		ssize_t n = pread(data->input.fd, table + have, (size_t)size - have,
				  (off_t)(offset + have));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return frec__error(reterr, -errno, "%s: cannot be read: %s", data->name,
					   strerror(errno));
		if (!n)
			return bad(data, offset,
				   "a table that begins here extends beyond the end of the file",
				   reterr);
		have += (size_t)n;
	}
	*ret = FREC_TAKE_PTR(table);
	return 0;
}

static int read_attributes(struct frec_perf_data *data, uint64_t offset, uint64_t size,
			   uint64_t each, struct frec_error *reterr)
{
	FREC_FREE uint8_t *table = NULL;
	int r;

	if (each < PERF_ATTR_SIZE_VER0 + 16 || each > 4096 || size % each || !size)
		return bad(data, 16, "the attributes of its events have an invalid size", reterr);
	r = read_table(data, offset, size, &table, reterr);
	for (uint64_t at = 0; !r && at < size; at += each) {
		struct frec_bytes section = frec__bytes(table + at + each - 16, 16);
		FREC_FREE uint8_t *ids = NULL;
		uint64_t ids_offset = frec__bytes_u64(&section),
			 ids_size = frec__bytes_u64(&section);

		r = read_table(data, ids_offset, ids_size, &ids, reterr);
		if (!r)
			r = frec__perf_data_add_event(data, table + at, (size_t)each - 16, ids,
						      (size_t)ids_size, reterr);
	}
	return r;
}

static int read_features(struct frec_perf_data *data, uint64_t offset, const uint8_t *bits,
			 struct frec_error *reterr)
{
	int r = 0;

	for (unsigned int feature = 0; feature < FREC_PERF_FEATURES && !r; feature++) {
		FREC_FREE uint8_t *entry = NULL, *table = NULL;
		struct frec_bytes section;
		uint64_t at, size;

		if (!(bits[feature / 8] >> feature % 8 & 1))
			continue;
		r = read_table(data, offset, 16, &entry, reterr);
		offset += 16;
		if (r)
			return r;
		section = frec__bytes(entry, 16);
		at = frec__bytes_u64(&section);
		size = frec__bytes_u64(&section);
		// Other features are not needed, so they are skipped, whatever their size.
		if (feature > FREC_PERF_NRCPUS && feature != FREC_PERF_EVENT_DESC &&
		    feature != FREC_PERF_CLOCK_DATA)
			continue;
		r = read_table(data, at, size, &table, reterr);
		if (!r)
			r = frec__perf_data_feature(data, feature, table, (size_t)size, reterr);
	}
	return r;
}

// Reads the fields of a file's header that come after its size, and the tables to which the header
// points.
static int read_file_header(struct frec_perf_data *data, struct frec_bytes *bytes,
			    uint64_t header_size, struct frec_error *reterr)
{
	uint64_t attr_size = frec__bytes_u64(bytes), attrs_offset = frec__bytes_u64(bytes),
		 attrs_size = frec__bytes_u64(bytes), data_offset = frec__bytes_u64(bytes),
		 data_size = frec__bytes_u64(bytes), file_size;
	uint8_t bits[FREC_PERF_FEATURES / 8];
	struct frec_error error = {0};
	struct stat status;
	int r;

	frec__bytes_take(bytes, 16); // the table of event types, which is unused
	if (header_size < HEADER_SIZE || frec__bytes_left(bytes) < sizeof(bits))
		return bad(data, 8, "the header has an invalid size", reterr);
	memcpy(bits, frec__bytes_take(bytes, sizeof(bits)), sizeof(bits));
	if (!data->input.seekable)
		return frec__error(reterr, -ESPIPE,
				   "%s: a pipe, but not in the format that 'perf record -o -' "
				   "writes: save it as a file first",
				   data->name);
	if (fstat(data->input.fd, &status))
		return frec__error(reterr, -errno, "%s: %s", data->name, strerror(errno));
	file_size = (uint64_t)status.st_size;
	if (data_offset > file_size)
		return bad(data, 40, "the records should begin beyond the end of the file", reterr);
	if (!data_size)
		data->unfinished = "perf record did not finish";
	else if (data_size > file_size - data_offset)
		data->unfinished = "the file is cut off";
	if (data->unfinished)
		data_size = file_size - data_offset;
	r = read_attributes(data, attrs_offset, attrs_size, attr_size, reterr);
	if (!r && !data->unfinished)
		r = read_features(data, data_offset + data_size, bits, &error);
	if (r == -EBADMSG && error.code) {
		data->unfinished = "a table after its records is cut off or damaged";
		r = 0;
	} else if (error.code && reterr) {
		*reterr = error;
	}
	data->input.at = data->input.size = 0;
	data->input.offset = data_offset;
	data->input.end = data_offset + data_size;
	return r;
}

static int read_header(struct frec_perf_data *data, struct frec_error *reterr)
{
	ssize_t have = fill(data, HEADER_SIZE, reterr);
	struct frec_bytes bytes;
	uint64_t header_size;
	const uint8_t *magic;

	if (have < 0)
		return (int)have;
	bytes = frec__bytes(data->input.data,
			    (size_t)have < HEADER_SIZE ? (size_t)have : HEADER_SIZE);
	magic = frec__bytes_take(&bytes, 8);
	header_size = frec__bytes_u64(&bytes);
	if (bytes.failed)
		return frec__error(reterr, -EBADMSG, "%s: not a perf.data file", data->name);
	if (!memcmp(magic, "2ELIFREP", 8))
		return frec__error(
			reterr, -ENOTSUP,
			"%s: recorded on a big-endian machine, which this program does not read",
			data->name);
	if (memcmp(magic, "PERFILE2", 8))
		return frec__error(reterr, -EBADMSG, "%s: not a perf.data file", data->name);
	if (header_size != PIPE_HEADER_SIZE)
		return read_file_header(data, &bytes, header_size, reterr);
	data->pipe = true;
	consume(data, PIPE_HEADER_SIZE);
	return 0;
}

int frec__perf_data_open(struct frec_perf_data *data, int fd, const char *name,
			 struct frec_error *reterr)
{
	struct stat status;
	int r = 0;

	*data = (struct frec_perf_data){.name = name, .input = {.fd = fd, .end = UINT64_MAX}};
	data->input.data = malloc(INPUT_ROOM);
	if (!data->input.data)
		r = frec__error(reterr, -ENOMEM, "%s: out of memory", name);
	else if (fstat(fd, &status))
		r = frec__error(reterr, -errno, "%s: %s", name, strerror(errno));
	else if (S_ISDIR(status.st_mode))
		r = frec__error(
			reterr, -EISDIR,
			"%s: a folder, as written by 'perf record --threads': record without "
			"--threads",
			name);
	if (!r) {
		data->input.seekable = S_ISREG(status.st_mode);
		r = read_header(data, reterr);
	}
	if (r)
		frec__perf_data_close(data);
	return r;
}

void frec__perf_data_close(struct frec_perf_data *data)
{
	frec__perf_data_forget(data);
	ZSTD_freeDStream(data->unpacked.stream);
	free(data->unpacked.packed);
	free(data->unpacked.data);
	free(data->input.data);
	if (data->input.fd >= 0)
		close(data->input.fd);
	*data = (struct frec_perf_data){.input.fd = -1};
}

// Begins to decompress a record that contains other records.
static int unpack(struct frec_perf_data *data, const uint8_t *packed, size_t size,
		  struct frec_error *reterr)
{
	struct frec_perf_unpacked *unpacked = &data->unpacked;

	if (!unpacked->stream) {
		unpacked->stream = ZSTD_createDStream();
		unpacked->packed = malloc(UINT16_MAX);
		unpacked->data = malloc(UNPACKED_ROOM);
		if (!unpacked->stream || !unpacked->packed || !unpacked->data)
			return frec__error(reterr, -ENOMEM, "%s: out of memory", data->name);
	}
	memcpy(unpacked->packed, packed, size);
	unpacked->packed_at = 0;
	unpacked->packed_size = size;
	unpacked->more = true;
	return 0;
}

// Returns 1 and the next decompressed record, 0 if none is complete, or a negative errno.
static int next_unpacked(struct frec_perf_data *data, struct perf_event_header *header,
			 const uint8_t **ret, struct frec_error *reterr)
{
	struct frec_perf_unpacked *unpacked = &data->unpacked;

	for (;;) {
		size_t left = unpacked->size - unpacked->at, result;
		ZSTD_inBuffer in = {unpacked->packed, unpacked->packed_size, unpacked->packed_at};
		ZSTD_outBuffer out = {unpacked->data, UNPACKED_ROOM, left};

		if (left >= sizeof(*header)) {
			memcpy(header, unpacked->data + unpacked->at, sizeof(*header));
			if (header->size < sizeof(*header))
				return bad(data, data->record_offset,
					   "the compressed data here contains an invalid record",
					   reterr);
			if (header->size <= left) {
				*ret = unpacked->data + unpacked->at;
				unpacked->at += header->size;
				return 1;
			}
		}
		if (!unpacked->more)
			return 0;
		memmove(unpacked->data, unpacked->data + unpacked->at, left);
		unpacked->at = 0;
		result = ZSTD_decompressStream(unpacked->stream, &out, &in);
		if (ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation)
			return frec__error(reterr, -ENOMEM, "%s: out of memory", data->name);
		if (ZSTD_isError(result))
			return bad(data, data->record_offset,
				   "the record here cannot be decompressed", reterr);
		unpacked->size = out.pos;
		unpacked->packed_at = in.pos;
		unpacked->more = in.pos < in.size || out.pos == out.size;
	}
}

// Reads the formats of tracepoints, which follow a record. The record has their size as a u32,
// without the padding to a multiple of 8 bytes.
static int read_tracing_data(struct frec_perf_data *data, const uint8_t *record, size_t record_size,
			     struct frec_error *reterr)
{
	struct frec_bytes bytes = frec__bytes(record, record_size);
	uint32_t size;
	FREC_FREE uint8_t *body = NULL;
	size_t have = 0;

	frec__bytes_take(&bytes, sizeof(struct perf_event_header));
	size = (uint32_t)((frec__bytes_u32(&bytes) + UINT64_C(7)) & ~UINT64_C(7));
	if (size > FREC_PERF_TABLE_MAX)
		return bad(data, data->record_offset, "the formats here are too large", reterr);
	body = malloc(size + 1);
	if (!body)
		return frec__error(reterr, -ENOMEM, "%s: out of memory", data->name);
	while (have < size) {
		size_t wanted = size - have < INPUT_ROOM ? size - have : INPUT_ROOM;
		ssize_t n = fill(data, wanted, reterr);

		if (n < 0)
			return (int)n;
		if ((size_t)n < wanted)
			return bad(data, data->record_offset,
				   "cut off within the formats that begin here", reterr);
		memcpy(body + have, consume(data, wanted), wanted);
		have += wanted;
	}
	return frec__perf_data_tracing(data, body, size, reterr);
}

static int skip(struct frec_perf_data *data, uint64_t size, struct frec_error *reterr)
{
	while (size) {
		size_t wanted = size < INPUT_ROOM ? (size_t)size : INPUT_ROOM;
		ssize_t n = fill(data, wanted, reterr);

		if (n < 0)
			return (int)n;
		if ((size_t)n < wanted)
			return bad(data, data->record_offset,
				   "cut off within what follows this record", reterr);
		consume(data, wanted);
		size -= wanted;
	}
	return 0;
}

// Handles a record that describes the recording, is compressed, or is followed by data. Returns 1
// if this was such a record, 0 if not, or a negative errno.
static int read_description(struct frec_perf_data *data, const struct perf_event_header *header,
			    const uint8_t *record, struct frec_error *reterr)
{
	struct frec_bytes bytes = frec__bytes(record, header->size);
	uint64_t size;
	int r = 0;

	frec__bytes_take(&bytes, sizeof(*header));
	switch (header->type) {
	case FREC_PERF_HEADER_ATTR: {
		// The attribute contains its own size, and the ids follow it.
		const uint8_t *attr = bytes.at;

		frec__bytes_take(&bytes, 4);
		size = frec__bytes_u32(&bytes);
		size = size ? size : PERF_ATTR_SIZE_VER0;
		if (size < PERF_ATTR_SIZE_VER0 || size > frec__bytes_left(&bytes) + 8)
			return bad(data, data->record_offset,
				   "the attribute here has an invalid size", reterr);
		r = frec__perf_data_add_event(data, attr, (size_t)size, attr + size,
					      (size_t)(bytes.end - attr) - (size_t)size, reterr);
		break;
	}
	case FREC_PERF_HEADER_TRACING_DATA:
		r = read_tracing_data(data, record, header->size, reterr);
		break;
	case FREC_PERF_HEADER_BUILD_ID:
		r = frec__perf_data_build_id(data, record, header->size);
		break;
	case FREC_PERF_EVENT_UPDATE:
		r = frec__perf_data_update(data, bytes.at, frec__bytes_left(&bytes));
		break;
	case FREC_PERF_HEADER_FEATURE:
		size = frec__bytes_u64(&bytes);
		if (bytes.failed)
			return bad(data, data->record_offset, "the record here is too short",
				   reterr);
		r = frec__perf_data_feature(data, size, bytes.at, frec__bytes_left(&bytes), reterr);
		break;
	case FREC_PERF_AUXTRACE: // hardware traces follow the record
		size = frec__bytes_u64(&bytes);
		data->aux_bytes += size;
		r = skip(data, size, reterr);
		break;
	case FREC_PERF_COMPRESSED:
		r = unpack(data, bytes.at, frec__bytes_left(&bytes), reterr);
		break;
	case FREC_PERF_COMPRESSED2: // has padding after the compressed bytes
		size = frec__bytes_u64(&bytes);
		if (size > frec__bytes_left(&bytes))
			return bad(data, data->record_offset, "the record here is too short",
				   reterr);
		r = unpack(data, bytes.at, (size_t)size, reterr);
		break;
	default:
		return 0;
	}
	if (r == -ENOMEM)
		return frec__error(reterr, r, "%s: out of memory", data->name);
	return r ? r : 1;
}

int frec__perf_data_next(struct frec_perf_data *data, struct perf_event_header *header,
			 const uint8_t **ret, struct frec_error *reterr)
{
	for (;;) {
		int r = next_unpacked(data, header, ret, reterr);
		ssize_t n;

		if (r)
			return r;
		n = fill(data, sizeof(*header), reterr);
		data->record_offset = data->input.offset;
		if (n <= 0)
			return (int)n;
		if ((size_t)n < sizeof(*header))
			return bad(data, data->record_offset, "cut off within a record", reterr);
		memcpy(header, data->input.data + data->input.at, sizeof(*header));
		if (header->size < sizeof(*header) || header->type > RECORD_TYPE_MAX)
			return bad(data, data->record_offset, "not a record", reterr);
		n = fill(data, header->size, reterr);
		if (n < 0)
			return (int)n;
		if ((size_t)n < header->size)
			return bad(data, data->record_offset, "cut off within a record", reterr);
		*ret = consume(data, header->size);
		r = read_description(data, header, *ret, reterr);
		if (r < 0)
			return r;
		if (!r)
			return 1;
	}
}
