// SPDX-License-Identifier: MIT
// Shows pairs, as many as the schema allows.
#include "export/report/pairs.h"

#include <string.h>

const Flightrec__Pair *frec__pairs_next(Flightrec__Pair *const *pairs, size_t count, size_t *at)
{
	while (*at < count && *at < FREC_PAIRS_SHOWN_MAX) {
		const Flightrec__Pair *pair = pairs[*at];
		size_t before = 0;

		while (before < *at && strcmp(pairs[before]->key, pair->key) != 0)
			before++;
		if (before == (*at)++)
			return pair;
	}
	return NULL;
}

const Flightrec__Pair *frec__pairs_find(Flightrec__Pair *const *pairs, size_t count,
					const char *key)
{
	const Flightrec__Pair *pair;
	size_t at = 0;

	while ((pair = frec__pairs_next(pairs, count, &at))) {
		if (!strcmp(pair->key, key))
			return pair;
	}
	return NULL;
}

void frec__pairs_text(struct frec_text *text, Flightrec__Pair *const *pairs, size_t count)
{
	const Flightrec__Pair *pair;
	size_t at = 0;

	while ((pair = frec__pairs_next(pairs, count, &at))) {
		frec__text_printf(text, "%*s", at > 1 ? 12 : 0, "");
		frec__text_plain(text, pair->key, strlen(pair->key));
		frec__text_puts(text, ": ");
		frec__text_plain(text, pair->value.data, pair->value.len);
		frec__text_puts(text, "\n");
	}
}

void frec__pairs_json(struct frec_text *text, Flightrec__Pair *const *pairs, size_t count)
{
	const Flightrec__Pair *pair;
	const char *comma = "";
	size_t at = 0;

	frec__text_puts(text, "{");
	while ((pair = frec__pairs_next(pairs, count, &at))) {
		frec__text_puts(text, comma);
		frec__text_json_puts(text, pair->key);
		frec__text_puts(text, ":");
		frec__text_json(text, pair->value.data, pair->value.len);
		comma = ",";
	}
	frec__text_puts(text, "}");
}

const Flightrec__Process *frec__tagged_next(const struct frec_snapshot *snapshot, size_t *at)
{
	while (*at < snapshot->process_count) {
		const Flightrec__Process *process = snapshot->processes[(*at)++];

		if (process->n_tag)
			return process;
	}
	return NULL;
}
