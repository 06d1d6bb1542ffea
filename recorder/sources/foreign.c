// SPDX-License-Identifier: MIT
// Creates foreign sources of both kinds: USDT probes and the arguments of kernel tracepoints.
#include "recorder/sources/foreign.h"

#include <errno.h>
#include <stdlib.h>

#include "recorder/sources/foreign_raw.h"
#include "recorder/sources/foreign_usdt.h"

struct frec_foreign {
	struct frec_foreign_usdt *usdt;
	struct frec_foreign_raw *raw;
};

static bool has(const struct frec_selection *selection, size_t count, enum frec_selection_kind kind)
{
	for (size_t i = 0; i < count; i++) {
		if (selection[i].kind == kind)
			return true;
	}
	return false;
}

int frec__foreign_create(struct frec_foreign **ret, const struct frec_selection *selection,
			 size_t count, frec_foreign_add *add, void *context,
			 struct frec_error *reterr)
{
	struct frec_foreign *foreign = calloc(1, sizeof(*foreign));
	int r = foreign ? 0 : frec__error(reterr, -ENOMEM, "out of memory");

	if (!r && has(selection, count, FREC_SELECT_USDT))
		r = frec__foreign_usdt_create(&foreign->usdt, selection, count, add, context,
					      reterr);
	if (!r && has(selection, count, FREC_SELECT_RAW_TRACEPOINT))
		r = frec__foreign_raw_create(&foreign->raw, selection, count, add, context, reterr);
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
	free(foreign);
}

int frec__foreign_list(const struct frec_selection *selection, frec_foreign_visit *visit,
		       void *context, struct frec_error *reterr)
{
	return selection->kind == FREC_SELECT_USDT
		       ? frec__foreign_usdt_list(selection, visit, context, reterr)
		       : frec__foreign_raw_list(selection, visit, context, reterr);
}
