// SPDX-License-Identifier: MIT
// Finding descriptions: which tracepoints have them, which distinct ones there are, and which one a
// record has.
#include "export/read/eventheader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "export/read/eventheader_layout.h"

#define COMMON_SIZE 8 // of every tracepoint's payload, in front of the header
#define HEADER_SIZE 8
#define EXTENSIONS_MAX 64
#define HAS_EXTENSION 4
#define KIND_METADATA 1
#define KIND_ACTIVITY 2
#define KIND_CHAIN 0x8000

struct frec_eventheader {
	bool *raw; /* by index of the sources that the file has: tracepoints of this kind */
	size_t raw_count;
	struct frec_eventheader_layout *layouts; /* the source of layouts[i] is raw_count + i */
	size_t count, room;
	size_t bytes;	   /* of all descriptions */
	uint32_t *slots;   /* hash table of layouts, plus 1; 0: free */
	size_t slot_count; /* a power of two */
	uint32_t next_id;  /* a source id that is not taken */
};

uint64_t frec__eventheader_number(const uint8_t *data, size_t size, bool big)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)data[i] << 8 * (big ? size - 1 - i : i);
	return value;
}

bool frec__eventheader_head(const uint8_t *payload, size_t size, struct frec_eventheader_head *ret)
{
	struct frec_bytes bytes = frec__bytes(payload, size);
	const uint8_t *header;
	bool big, more;

	*ret = (struct frec_eventheader_head){0};
	frec__bytes_take(&bytes, COMMON_SIZE);
	header = frec__bytes_take(&bytes, HEADER_SIZE);
	if (!header)
		return false;
	ret->flags = header[0];
	ret->version = header[1];
	big = frec__eventheader_big(ret->flags);
	ret->id = (uint16_t)frec__eventheader_number(header + 2, 2, big);
	ret->tag = (uint16_t)frec__eventheader_number(header + 4, 2, big);
	ret->opcode = header[6];
	ret->level = header[7];
	more = ret->flags & HAS_EXTENSION;
	for (int i = 0; more && i < EXTENSIONS_MAX; i++) {
		const uint8_t *extension = frec__bytes_take(&bytes, 4), *body;
		size_t length, kind;

		if (!extension)
			return false;
		length = frec__eventheader_number(extension, 2, big);
		kind = frec__eventheader_number(extension + 2, 2, big);
		body = frec__bytes_take(&bytes, length);
		if (!body)
			return false;
		if ((kind & ~KIND_CHAIN) == KIND_METADATA && !ret->metadata) {
			ret->metadata = body;
			ret->metadata_size = length;
		} else if ((kind & ~KIND_CHAIN) == KIND_ACTIVITY && length >= 16) {
			ret->activity = body;
			ret->related = length >= 32 ? body + 16 : NULL;
		}
		more = kind & KIND_CHAIN;
	}
	ret->data = bytes;
	return !more;
}

// Everything that is the same in all events of a source.
static uint64_t hash_of(size_t source, const struct frec_eventheader_head *head)
{
	uint64_t hash = 0xcbf29ce484222325 ^ source;
	const uint8_t fixed[] = {head->flags,
				 head->version,
				 head->opcode,
				 head->level,
				 head->id & 0xff,
				 (uint8_t)(head->id >> 8),
				 head->tag & 0xff,
				 (uint8_t)(head->tag >> 8),
				 (uint8_t)(!!head->activity + !!head->related)};

	for (size_t i = 0; i < sizeof(fixed); i++)
		hash = (hash ^ fixed[i]) * 0x100000001b3;
	for (size_t i = 0; i < head->metadata_size; i++)
		hash = (hash ^ head->metadata[i]) * 0x100000001b3;
	return hash;
}

static bool is_same(const struct frec_eventheader_layout *layout, size_t source,
		    const struct frec_eventheader_head *head, uint64_t hash)
{
	const struct frec_eventheader_head *other = &layout->head;

	return layout->hash == hash && layout->raw_source == source &&
	       other->flags == head->flags && other->version == head->version &&
	       other->opcode == head->opcode && other->level == head->level &&
	       other->id == head->id && other->tag == head->tag &&
	       layout->has_activity == !!head->activity && layout->has_related == !!head->related &&
	       other->metadata_size == head->metadata_size &&
	       !memcmp(other->metadata, head->metadata, head->metadata_size);
}

// The slot of the hash table that holds it, or in which it would go.
static uint32_t *find_slot(const struct frec_eventheader *eventheader, size_t source,
			   const struct frec_eventheader_head *head, uint64_t hash)
{
	size_t mask = eventheader->slot_count - 1;

	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		uint32_t *slot = &eventheader->slots[i];

		if (!*slot || is_same(&eventheader->layouts[*slot - 1], source, head, hash))
			return slot;
	}
}

static bool is_raw(const struct frec_eventheader *eventheader, const struct frec_record *record)
{
	return record->source && record->source_index < eventheader->raw_count &&
	       eventheader->raw[record->source_index];
}

// The name and layout by which the kernel knows these tracepoints.
static bool has_shape(const Flightrec__Source *source)
{
	static const char *const names[] = {
		"eventheader_flags", "version", "id", "tag", "opcode", "level"};
	static const uint32_t offsets[] = {8, 9, 10, 12, 14, 15};

	if (source->n_field != sizeof(names) / sizeof(names[0]))
		return false;
	for (size_t i = 0; i < source->n_field; i++) {
		if (strcmp(source->field[i]->name, names[i]) ||
		    source->field[i]->offset != offsets[i])
			return false;
	}
	return true;
}

static void free_layout(struct frec_eventheader_layout *layout)
{
	for (size_t i = 0; i < layout->node_count; i++)
		free(layout->nodes[i].name);
	free(layout->nodes);
	free((void *)layout->head.metadata);
}

// A description that was not seen before. Without memory, or when there are too many, it is left as
// it is.
static void add(struct frec_snapshot *snapshot, struct frec_eventheader *eventheader,
		size_t raw_source, const struct frec_eventheader_head *head, uint64_t hash,
		uint32_t *slot)
{
	struct frec_eventheader_layout *layout;
	Flightrec__Source *source;
	uint8_t *copy;

	if (eventheader->count == FREC_EVENTHEADER_SOURCES_MAX || !eventheader->next_id ||
	    eventheader->bytes + head->metadata_size > FREC_EVENTHEADER_BYTES_MAX)
		return;
	if (eventheader->count == eventheader->room) {
		size_t room = eventheader->room ? 2 * eventheader->room : 64;

		layout = reallocarray(eventheader->layouts, room, sizeof(*layout));
		if (!layout)
			return;
		eventheader->layouts = layout;
		eventheader->room = room;
	}
	layout = &eventheader->layouts[eventheader->count];
	*layout = (struct frec_eventheader_layout){.raw_source = raw_source,
						   .source = eventheader->raw_count +
							     eventheader->count,
						   .head = *head,
						   .has_activity = head->activity,
						   .has_related = head->related,
						   .hash = hash};
	copy = malloc(head->metadata_size + 1);
	if (copy)
		memcpy(copy, head->metadata, head->metadata_size);
	layout->head.metadata = copy;
	layout->head.activity = layout->head.related = NULL;
	source = copy ? frec__eventheader_describe(layout, snapshot->sources[raw_source],
						   eventheader->next_id)
		      : NULL;
	if (!source || frec__snapshot_add_source(snapshot, source)) {
		if (source)
			protobuf_c_message_free_unpacked(&source->base, NULL);
		free_layout(layout);
		return;
	}
	eventheader->next_id++;
	eventheader->bytes += head->metadata_size;
	*slot = (uint32_t)++eventheader->count;
}

static void look_through(struct frec_snapshot *snapshot, struct frec_eventheader *eventheader)
{
	struct frec_chunk_data data = {0};

	for (size_t i = 0; i < snapshot->chunk_count; i++) {
		struct frec_record record;
		size_t at = 0;
		int r;

		if (frec__snapshot_read_chunk(snapshot, &snapshot->chunks[i], &data, NULL))
			continue;
		while (data.size &&
		       (r = frec__record_next(snapshot, data.data + at, data.size - at, &record)) !=
			       -ENODATA &&
		       r != -EBADMSG) {
			struct frec_eventheader_head head;
			uint64_t hash;
			uint32_t *slot;

			at += record.size;
			if (r || !record.sample || !is_raw(eventheader, &record) ||
			    !frec__eventheader_head(record.payload, record.payload_size, &head) ||
			    !head.metadata)
				continue;
			hash = hash_of(record.source_index, &head);
			slot = find_slot(eventheader, record.source_index, &head, hash);
			if (!*slot)
				add(snapshot, eventheader, record.source_index, &head, hash, slot);
		}
	}
	free(data.data);
}

int frec__eventheader_find(struct frec_snapshot *snapshot)
{
	struct frec_eventheader *eventheader;
	bool any = false;

	for (size_t i = 0; i < snapshot->source_count && !any; i++)
		any = has_shape(snapshot->sources[i]);
	if (!any)
		return 0;
	eventheader = calloc(1, sizeof(*eventheader));
	if (!eventheader)
		return -ENOMEM;
	eventheader->raw_count = snapshot->source_count;
	eventheader->raw = calloc(snapshot->source_count, sizeof(*eventheader->raw));
	eventheader->slot_count = 2 * FREC_EVENTHEADER_SOURCES_MAX;
	eventheader->slots = calloc(eventheader->slot_count, sizeof(*eventheader->slots));
	if (!eventheader->raw || !eventheader->slots) {
		frec__eventheader_free(eventheader);
		return -ENOMEM;
	}
	for (size_t i = 0; i < snapshot->source_count; i++) {
		eventheader->raw[i] = has_shape(snapshot->sources[i]);
		if (snapshot->sources[i]->id >= eventheader->next_id)
			// 0 after the last: then there is no room for any
			eventheader->next_id = snapshot->sources[i]->id + 1;
		if (!eventheader->next_id)
			break;
	}
	look_through(snapshot, eventheader);
	snapshot->eventheader = eventheader;
	return 0;
}

void frec__eventheader_free(struct frec_eventheader *eventheader)
{
	if (!eventheader)
		return;
	for (size_t i = 0; i < eventheader->count; i++)
		free_layout(&eventheader->layouts[i]);
	free(eventheader->layouts);
	free(eventheader->slots);
	free(eventheader->raw);
	free(eventheader);
}

void frec__eventheader_translate(const struct frec_snapshot *snapshot, struct frec_record *record)
{
	const struct frec_eventheader *eventheader = snapshot->eventheader;
	struct frec_eventheader_head head;
	const uint32_t *slot;

	if (!is_raw(eventheader, record) ||
	    !frec__eventheader_head(record->payload, record->payload_size, &head) || !head.metadata)
		return;
	slot = find_slot(eventheader, record->source_index, &head,
			 hash_of(record->source_index, &head));
	if (!*slot)
		return;
	record->source_index = eventheader->layouts[*slot - 1].source;
	record->source = snapshot->sources[record->source_index];
}

int frec__eventheader_decode(const struct frec_snapshot *snapshot, const struct frec_record *record,
			     struct frec_text *scratch, struct frec_value *values)
{
	const struct frec_eventheader *eventheader = snapshot->eventheader;
	struct frec_eventheader_head head;

	if (!eventheader || record->source_index < eventheader->raw_count)
		return 0;
	if (!frec__eventheader_head(record->payload, record->payload_size, &head))
		head.data = frec__bytes(NULL, 0);
	return frec__eventheader_values(
		       &eventheader->layouts[record->source_index - eventheader->raw_count],
		       record->source, &head, scratch, values)
		       ? 1
		       : -EBADMSG;
}
