// SPDX-License-Identifier: MIT
// Turns arbitrary names into identifiers.
#include "export/identifiers.h"

#include <string.h>

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool frec__identifier(struct frec_text *text, const char *name)
{
	bool changed = !is_letter(*name);

	if (changed)
		frec__text_puts(text, "_");
	for (const char *p = name; *p; p++) {
		bool fits = is_letter(*p) || (*p >= '0' && *p <= '9');

		changed |= !fits;
		frec__text_add(text, fits ? p : "_", 1);
	}
	return changed;
}

void frec__field_identifier(struct frec_text *text, const Flightrec__Source *source, size_t index)
{
	const char *name = source->field[index]->name;
	bool changed = frec__identifier(text, name);

	for (size_t i = 0; i < index; i++)
		changed |= !strcmp(source->field[i]->name, name);
	if (changed)
		frec__text_printf(text, "__%zu", index);
}
