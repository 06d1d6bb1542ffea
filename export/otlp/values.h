/* SPDX-License-Identifier: MIT */
/* The common parts of OTLP logs and traces: attributes, resources, messages. They are allocated in
 * an arena, which is reset after each batch. If memory runs out, the arena's `failed` is set. */
#ifndef FREC_EXPORT_OTLP_VALUES_H
#define FREC_EXPORT_OTLP_VALUES_H

#include "export/arena.h"
#include "export/report/pairs.h"
#include "export/timeline/hosts.h"
#include "export/output.h"
#include "otlp.pb-c.h"

/* The most attributes that a resource can have beside tags, and that a log record can have beside
 * tags and the fields of its event. */
#define FREC_OTLP_OTHER_ATTRIBUTES_MAX 8
/* The most attributes that frec__otlp_add_tags() adds. */
#define FREC_OTLP_TAGS_MAX FREC_PAIRS_SHOWN_MAX

struct frec_otlp_attributes {
	Otlp__KeyValue **items;
	size_t count, room;
};

/* A field of an event, and the key of its attribute. */
struct frec_otlp_field {
	char *key;
	const struct frec_value *value;
};

bool frec__otlp_attributes(struct frec_arena *arena, struct frec_otlp_attributes *ret, size_t room);

/* Adds an attribute and returns its empty value, or NULL if memory runs out or `attributes` is
 * full. The key is not copied. */
Otlp__AnyValue *frec__otlp_add(struct frec_arena *arena, struct frec_otlp_attributes *attributes,
			       char *key);
void frec__otlp_add_text(struct frec_arena *arena, struct frec_otlp_attributes *attributes,
			 char *key, const void *data, size_t size);
void frec__otlp_add_integer(struct frec_arena *arena, struct frec_otlp_attributes *attributes,
			    char *key, int64_t number);
void frec__otlp_set_string(Otlp__AnyValue *value, char *string);

/* Copies an id. An id of all zeroes means that there is no id. In that case returns no bytes, as
 * OTLP requires. */
ProtobufCBinaryData frec__otlp_id(struct frec_arena *arena, const uint8_t *id, size_t size);

/* "first.second" */
char *frec__otlp_qualified(struct frec_arena *arena, const char *first, const char *second);

/* Adds all fields, and one more attribute with the names of the texts that were cut, if any. */
void frec__otlp_add_fields(struct frec_arena *arena, struct frec_otlp_attributes *attributes,
			   const struct frec_otlp_field *fields, size_t count);

/* `who` may be NULL. A pid or tid of UINT32_MAX means that it is unknown, and no attribute is added
 * for it. */
void frec__otlp_add_process(struct frec_arena *arena, struct frec_otlp_attributes *attributes,
			    const struct frec_process_entry *who, uint32_t pid);
void frec__otlp_add_thread(struct frec_arena *arena, struct frec_otlp_attributes *attributes,
			   const struct frec_process_entry *who, uint32_t tid);
void frec__otlp_add_host(struct frec_arena *arena, struct frec_otlp_attributes *attributes,
			 const struct frec_host *host);

/* Adds the tags of a recorder or a process. An attribute that is there already stays, so that tags
 * cannot pass for what was measured, such as host.name. */
void frec__otlp_add_tags(struct frec_arena *arena, struct frec_otlp_attributes *attributes,
			 Flightrec__Pair *const *pairs, size_t count);

/* Returns the instrumentation scope, which is flightrec in the version that wrote the snapshot, or
 * NULL if memory runs out. */
Otlp__InstrumentationScope *frec__otlp_scope(struct frec_arena *arena,
					     const struct frec_host *host);

#endif
