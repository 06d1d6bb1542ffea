// SPDX-License-Identifier: MIT
// Whatever the arguments of -e are, parsing them stays within the text, and what is accepted has
// the parts that its kind needs. The input is a list of selections, as FLIGHTREC_EVENTS and the
// tool take it.
#include <stdlib.h>
#include <string.h>

#include "recorder/selections.h"
#include "tests/fuzz/require.h"

#define RING_SIZE (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text)
{
	struct frec_selection selection, again;
	struct frec_error error = {0};

	if (frec__selection_parse(&selection, text, &error)) {
		require(error.code < 0 && *error.message && !selection.text);
		return;
	}
	require(!strcmp(selection.text, text) && *selection.name && !strchr(selection.name, '/'));
	require(selection.kind == frec__selection_kind(text));
	if (selection.kind == FREC_SELECT_USDT)
		require(*selection.file && *selection.provider);
	require(selection.stack.bytes % 8 == 0 && selection.stack.bytes <= FREC_STACK_BYTES_MAX);
	require(selection.stack.is_set || !frec__stack_any(&selection.stack));
	require(!frec__selection_parse(&again, text, &error));
	require(!strcmp(again.name, selection.name) && again.strings == selection.strings);
	frec__selection_deinit(&again);
	frec__selection_deinit(&selection);
}

static void use(const struct frec_selections *selections)
{
	struct frec_declared event = {.provider = (char *)"shop", .name = (char *)"paid"};
	const struct frec_listed listed = {.system = "shop", .name = "paid"};

	frec__selections_stack(selections, &listed);
	frec__selections_match(selections, &event);
	frec__selections_beyond_services(selections, -1);
	frec__selections_with_stacks(selections, -1, true, frec__stack_any);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *texts[FREC_SELECTIONS_MAX + 2] = {NULL};
	struct frec_selections selections = {0};
	const struct frec_stack_choice none = {0};
	char *list = strndup((const char *)data, size), *rest = list;
	struct frec_error error;
	size_t count = 0;

	while (rest && count < FREC_SELECTIONS_MAX + 1) {
		texts[count] = frec__selection_next(&rest);
		check(texts[count++]);
	}
	if (!frec__selections_parse(&selections, texts, &none, RING_SIZE, &error))
		use(&selections);
	frec__selections_deinit(&selections);
	free(list);
	return 0;
}
