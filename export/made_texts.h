/* SPDX-License-Identifier: MIT */
/* Texts that are the same in many events of a host, so that a writer makes them only once: for each
 * source one that says which event it is, and one before the value of each field; for each thread
 * its names; for each call stack a line. A text is made when an event first needs it. */
#ifndef FREC_EXPORT_MADE_TEXTS_H
#define FREC_EXPORT_MADE_TEXTS_H

#include "export/by_id.h"
#include "export/read/text.h"
#include "export/timeline/events.h"
#include "proto/table.h"

/* How a writer makes its texts. Each function adds to `text`, which is empty. NULL: none. `data` is
 * that of struct frec_made_texts. */
struct frec_made_by {
	void (*event)(struct frec_text *text, const Flightrec__Source *source, void *data);
	void (*field)(struct frec_text *text, const Flightrec__Source *source, size_t i,
		      void *data);
	void (*thread)(struct frec_text *text, const struct frec_process_entry *who, void *data);
	void (*stack)(struct frec_text *text, const struct frec_call_stack *stack);
};

struct frec_made_source {
	struct frec_text event;
	struct frec_text *fields; /* NULL: not made yet */
};

/* Initialise with zeroes, except for the first three. */
struct frec_made_texts {
	const struct frec_made_by *by;
	void *data;
	const struct frec_snapshot *snapshot; /* of the host; outlives the texts */
	struct frec_made_source *sources;     /* by index of the source */
	struct frec_by_id names;	      /* struct frec_text */
	struct frec_table threads;	      /* index in `names`, by address of the entry */
	struct frec_by_id stacks;	      /* struct frec_text */
	size_t stacks_size;		      /* bytes of the texts in `stacks` */
	struct frec_text stack;		      /* of a stack that is not kept in `stacks` */
};

/* Each returns a text that frec__text_add_made() adds, valid until the next call, or NULL if memory
 * runs out. `who` is not NULL. */
const struct frec_made_source *frec__made_source(struct frec_made_texts *texts,
						 const struct frec_event *event);
const struct frec_text *frec__made_thread(struct frec_made_texts *texts,
					  const struct frec_process_entry *who);
const struct frec_text *frec__made_stack(struct frec_made_texts *texts,
					 const struct frec_call_stack *stack);

void frec__made_texts_deinit(struct frec_made_texts *texts);

/* Adds a text that one of the functions above returned. If it is NULL, sets `text->failed`. */
static inline void frec__text_add_if_made(struct frec_text *text, const struct frec_text *made)
{
	if (!made || made->failed)
		text->failed = true;
	else
		frec__text_add_made(text, made);
}

#endif
