// SPDX-License-Identifier: MIT
// All sources that were not made for us, of whichever kind.
#include "recorder/foreign.h"

#include <errno.h>
#include <stdlib.h>

#include "recorder/foreign_raw.h"
#include "recorder/foreign_usdt.h"

struct frec_foreign {
	struct frec_selection *selection; /* the other two refer to it */
	size_t selections;
	struct frec_foreign_usdt *usdt;
	struct frec_foreign_raw *raw;
};

static int parse_all(struct frec_foreign *foreign, const char *const *selection,
		     struct frec_error *reterr)
{
	size_t count = 0;
	int r = 0;

	while (selection[count])
		count++;
	foreign->selection = calloc(count + 1, sizeof(*foreign->selection));
	if (!foreign->selection)
		return frec__error(reterr, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count && !r; i++) {
		r = frec__selection_parse(&foreign->selection[foreign->selections], selection[i],
					  reterr);
		foreign->selections += !r;
	}
	return r;
}

static size_t count_of(const struct frec_foreign *foreign, enum frec_selection_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < foreign->selections; i++)
		count += foreign->selection[i].kind == kind;
	return count;
}

int frec__foreign_create(struct frec_foreign **ret, const char *const *selection,
			 frec_foreign_add *add, void *context, struct frec_error *reterr)
{
	struct frec_foreign *foreign = calloc(1, sizeof(*foreign));
	int r = foreign ? parse_all(foreign, selection, reterr)
			: frec__error(reterr, -ENOMEM, "out of memory");

	if (!r && count_of(foreign, FREC_SELECT_USDT))
		r = frec__foreign_usdt_create(&foreign->usdt, foreign->selection,
					      foreign->selections, add, context, reterr);
	if (!r && count_of(foreign, FREC_SELECT_RAW_TRACEPOINT))
		r = frec__foreign_raw_create(&foreign->raw, foreign->selection, foreign->selections,
					     add, context, reterr);
	if (r) {
		frec__foreign_destroy(foreign);
		return r;
	}
	*ret = foreign;
	return 0;
}

void frec__foreign_destroy(struct frec_foreign *foreign)
{
	if (!foreign)
		return;
	frec__foreign_usdt_destroy(foreign->usdt);
	frec__foreign_raw_destroy(foreign->raw);
	for (size_t i = 0; i < foreign->selections; i++)
		frec__selection_deinit(&foreign->selection[i]);
	free(foreign->selection);
	free(foreign);
}

int frec__foreign_list(const struct frec_selection *selection, frec_foreign_visit *visit,
		       void *context, struct frec_error *reterr)
{
	return selection->kind == FREC_SELECT_USDT
		       ? frec__foreign_usdt_list(selection, visit, context, reterr)
		       : frec__foreign_raw_list(selection, visit, context, reterr);
}
