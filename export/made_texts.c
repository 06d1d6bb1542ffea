// SPDX-License-Identifier: MIT
// Makes texts on first use and keeps them.
#include "export/made_texts.h"

#include <stdlib.h>

// Once the lines of call stacks that are kept have more bytes than this, no further ones are kept.
#define STACKS_SIZE_MAX (64u << 20)

static bool make_source(struct frec_made_texts *texts, struct frec_made_source *made,
			const Flightrec__Source *source)
{
	bool failed;

	made->fields = calloc(source->n_field + 1, sizeof(*made->fields));
	if (!made->fields)
		return false;
	texts->by->event(&made->event, source, texts->data);
	frec__text_finish(&made->event);
	failed = made->event.failed;
	for (size_t i = 0; i < source->n_field; i++) {
		if (texts->by->field)
			texts->by->field(&made->fields[i], source, i, texts->data);
		frec__text_finish(&made->fields[i]);
		failed |= made->fields[i].failed;
	}
	return !failed;
}

const struct frec_made_source *frec__made_source(struct frec_made_texts *texts,
						 const struct frec_event *event)
{
	size_t index = event->source_index;

	if (!texts->sources)
		texts->sources = calloc(texts->snapshot->source_count + 1, sizeof(*texts->sources));
	if (!texts->sources)
		return NULL;
	if (!texts->sources[index].fields &&
	    !make_source(texts, &texts->sources[index], event->source))
		return NULL;
	return &texts->sources[index];
}

const struct frec_text *frec__made_thread(struct frec_made_texts *texts,
					  const struct frec_process_entry *who)
{
	uint32_t *number = frec__table_put(&texts->threads, (uint64_t)(uintptr_t)who, NULL);
	struct frec_text *names;

	if (!number)
		return NULL;
	if (!*number)
		*number = (uint32_t)texts->threads.count;
	names = frec__by_id(&texts->names, *number, sizeof(*names));
	if (names && !names->data) {
		texts->by->thread(names, who, texts->data);
		frec__text_finish(names);
	}
	return names;
}

const struct frec_text *frec__made_stack(struct frec_made_texts *texts,
					 const struct frec_call_stack *stack)
{
	struct frec_text *line = &texts->stack;

	if (texts->stacks_size <= STACKS_SIZE_MAX)
		line = frec__by_id(&texts->stacks, stack->id, sizeof(*line));
	if (!line || (line->data && line != &texts->stack))
		return line;
	frec__text_clear(line);
	texts->by->stack(line, stack);
	frec__text_finish(line);
	texts->stacks_size += line->capacity;
	return line;
}

static void free_texts(struct frec_by_id *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		frec__text_free((struct frec_text *)texts->entries + i);
	free(texts->entries);
}

void frec__made_texts_deinit(struct frec_made_texts *texts)
{
	for (size_t i = 0; texts->sources && i < texts->snapshot->source_count; i++) {
		struct frec_made_source *made = &texts->sources[i];

		for (size_t k = 0; made->fields && k < texts->snapshot->sources[i]->n_field; k++)
			frec__text_free(&made->fields[k]);
		free(made->fields);
		frec__text_free(&made->event);
	}
	free(texts->sources);
	free_texts(&texts->names);
	frec__table_free(&texts->threads);
	free_texts(&texts->stacks);
	frec__text_free(&texts->stack);
}
