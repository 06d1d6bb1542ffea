// SPDX-License-Identifier: MIT
// Finds descriptions: which tracepoints have them, which distinct ones there are, and which one a
// record has.
#include "export/read/eventheader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "export/read/eventheader_values.h"
#include "proto/grow.h"
#include "proto/table.h"

struct frec_eventheader {
	bool *raw; /* for each source of the file: whether it is an EventHeader tracepoint */
	size_t raw_count;
	/* the source of layouts[i] has the index raw_count + i */
	struct frec_eventheader_layout *layouts;
	size_t count;
	size_t bytes;		 /* size of all descriptions together */
	struct frec_table found; /* index in `layouts` plus 1, by hash */
	uint32_t next_id;	 /* a source id that is not in use; 0: none is left */
};

// A hash of everything that is the same in all events of a source.
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

// Returns the index plus 1 of the layout with this head, or 0 if there is none. The key of a layout
// is its hash or, if another layout has that key, the next larger number that is free. *ret_key is
// the key of the layout that was found, or the key under which to add it.
static uint32_t find_layout(const struct frec_eventheader *eventheader, size_t source,
			    const struct frec_eventheader_head *head, uint64_t *ret_key)
{
	uint64_t hash = hash_of(source, head);

	for (uint64_t key = hash;; key++) {
		const uint32_t *number = frec__table_get(&eventheader->found, key);

		*ret_key = key;
		if (!number)
			return 0;
		if (is_same(&eventheader->layouts[*number - 1], source, head, hash))
			return *number;
	}
}

static bool is_raw(const struct frec_eventheader *eventheader, const struct frec_record *record)
{
	return record->source && record->source_index < eventheader->raw_count &&
	       eventheader->raw[record->source_index];
}

// Returns whether a source has the fields that the kernel shows for an EventHeader tracepoint.
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

// Adds a description that was not seen before. Leaves it out if it is malformed, if there are too
// many, or if memory runs out; errno is then ENOMEM.
static void add(struct frec_snapshot *snapshot, struct frec_eventheader *eventheader,
		size_t raw_source, const struct frec_eventheader_head *head, uint64_t key)
{
	struct frec_eventheader_layout *layout;
	Flightrec__Source *source = NULL;
	uint32_t *number = NULL;
	uint8_t *copy;

	if (eventheader->count == FREC_EVENTHEADER_SOURCES_MAX || !eventheader->next_id ||
	    eventheader->bytes + head->metadata_size > FREC_EVENTHEADER_BYTES_MAX ||
	    !frec__grow(&eventheader->layouts, eventheader->count, sizeof(*layout)))
		return;
	layout = &eventheader->layouts[eventheader->count];
	*layout = (struct frec_eventheader_layout){.raw_source = raw_source,
						   .source = eventheader->raw_count +
							     eventheader->count,
						   .head = *head,
						   .has_activity = head->activity,
						   .has_related = head->related,
						   .hash = hash_of(raw_source, head)};
	copy = malloc(head->metadata_size + 1);
	if (copy)
		memcpy(copy, head->metadata, head->metadata_size);
	layout->head.metadata = copy;
	layout->head.activity = layout->head.related = NULL;
	if (copy)
		source = frec__eventheader_make_source(layout, snapshot->sources[raw_source],
						       eventheader->next_id);
	if (source)
		number = frec__table_put(&eventheader->found, key, NULL);
	if (!number || frec__snapshot_add_source(snapshot, source)) {
		if (number)
			frec__table_remove(&eventheader->found, key);
		if (source)
			protobuf_c_message_free_unpacked(&source->base, NULL);
		free_layout(layout);
		return;
	}
	eventheader->next_id++;
	eventheader->bytes += head->metadata_size;
	*number = (uint32_t)++eventheader->count;
}

static void describe_chunk(struct frec_snapshot *snapshot, struct frec_eventheader *eventheader,
			   const struct frec_chunk_data *data)
{
	struct frec_record record;
	size_t at = 0;
	int r;

	while (data->size &&
	       (r = frec__record_next(snapshot, data->data + at, data->size - at, &record)) !=
		       -ENODATA &&
	       r != -EBADMSG) {
		struct frec_eventheader_head head;
		uint64_t key;

		at += record.size;
		if (!r && record.sample && is_raw(eventheader, &record) &&
		    frec__eventheader_head(record.payload, record.payload_size, &head) &&
		    head.metadata && !find_layout(eventheader, record.source_index, &head, &key))
			add(snapshot, eventheader, record.source_index, &head, key);
	}
}

int frec__eventheader_describe(struct frec_snapshot *snapshot)
{
	struct frec_eventheader *eventheader;
	struct frec_chunk_data data = {0};
	bool any = false;
	int before = errno, r;

	for (size_t i = 0; i < snapshot->source_count && !any; i++)
		any = has_shape(snapshot->sources[i]);
	if (!any)
		return 0;
	eventheader = calloc(1, sizeof(*eventheader));
	if (!eventheader)
		return -ENOMEM;
	snapshot->eventheader = eventheader;
	eventheader->raw_count = snapshot->source_count;
	eventheader->raw = calloc(snapshot->source_count, sizeof(*eventheader->raw));
	if (!eventheader->raw) {
		frec__eventheader_forget(snapshot);
		return -ENOMEM;
	}
	for (size_t i = 0; i < snapshot->source_count; i++) {
		eventheader->raw[i] = has_shape(snapshot->sources[i]);
		if (snapshot->sources[i]->id >= eventheader->next_id)
			eventheader->next_id = snapshot->sources[i]->id + 1;
		if (!eventheader->next_id)
			break;
	}
	errno = 0;
	for (size_t i = 0; i < snapshot->chunk_count; i++) {
		if (!frec__snapshot_read_chunk(snapshot, &snapshot->chunks[i], &data, NULL))
			describe_chunk(snapshot, eventheader, &data);
	}
	free(data.data);
	r = errno == ENOMEM ? -ENOMEM : snapshot->left_out->failed;
	errno = before;
	if (r)
		frec__eventheader_forget(snapshot);
	return r;
}

void frec__eventheader_forget(struct frec_snapshot *snapshot)
{
	struct frec_eventheader *eventheader = snapshot->eventheader;

	if (!eventheader)
		return;
	for (size_t i = 0; i < eventheader->count; i++)
		free_layout(&eventheader->layouts[i]);
	free(eventheader->layouts);
	frec__table_free(&eventheader->found);
	free(eventheader->raw);
	free(eventheader);
	snapshot->eventheader = NULL;
}

void frec__eventheader_translate(const struct frec_snapshot *snapshot, struct frec_record *record)
{
	const struct frec_eventheader *eventheader = snapshot->eventheader;
	struct frec_eventheader_head head;
	uint32_t number;
	uint64_t key;

	if (!eventheader || !is_raw(eventheader, record) ||
	    !frec__eventheader_head(record->payload, record->payload_size, &head) || !head.metadata)
		return;
	number = find_layout(eventheader, record->source_index, &head, &key);
	if (!number)
		return;
	record->source_index = eventheader->layouts[number - 1].source;
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
