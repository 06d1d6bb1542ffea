// SPDX-License-Identifier: MIT
// Whatever a format file of tracefs says, parsing it stays within the text, and the fields that it
// describes can be read from payloads of any size. With user_events, programs choose much of the
// text. The first byte of the input says whether the event is one of ours.
#include <stdlib.h>
#include <string.h>

#include "recorder/declared/format.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct frec_format *format)
{
	static const uint8_t payload[64] = {1, 2, 3};

	require(format->count <= FREC_FIELDS_MAX);
	for (size_t i = 0; i < format->count; i++) {
		const struct frec_field *field = &format->field[i];

		require(field->name && field->type && *field->name);
		require(field->offset <= UINT16_MAX && field->size <= UINT16_MAX);
		require(field->element_size <= 8);
		require(field->kind != FLIGHTREC__FIELD_KIND__FIELD_ARRAY ||
			(field->element_size &&
			 (field->locator || field->size % field->element_size == 0)));
		require(field->enumerators <= FREC_ENUMERATORS_MAX);
		require(frec__format_find(format, field->name));
		for (size_t k = 0; k <= sizeof(payload); k += 13)
			frec__field_value(field, payload, k);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frec_format format;
	struct frec_error error;
	char *text;

	if (!size)
		return 0;
	text = strndup((const char *)data + 1, size - 1);
	if (!frec__format_parse(&format, text, data[0] & 1, &error)) {
		check(&format);
		require(!frec__format_symbols(&format, text));
		check(&format);
		frec__format_deinit(&format);
	}
	free(text);
	return 0;
}
