// SPDX-License-Identifier: MIT
// Folded stacks, which flamegraph.pl, inferno and speedscope read. Each line is a stack of one
// process and kind of event: the name of the process and the functions from the outermost inwards,
// separated by semicolons; then a space and the number of events with this stack. Kernel functions
// end in _[k] and inlined functions in _[i], for which those tools have colours.
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "export/stack_counts.h"
#include "export/report/stack_text.h"
#include "export/writer.h"

struct folded {
	const struct frec_export *context;
	struct frec_stack_counts counts;
	struct frec_text line, name;
};

static int begin(const struct frec_export *context, void **ret_state, struct frec_error *reterr)
{
	struct folded *folded = calloc(1, sizeof(*folded));

	if (!folded)
		return frec__error(reterr, -ENOMEM, "out of memory");
	folded->context = context;
	*ret_state = folded;
	return 0;
}

static int event(void *state, const struct frec_event *event, struct frec_error *reterr)
{
	struct folded *folded = state;

	return frec__stack_counts_add(&folded->counts, event, reterr);
}

// Adds folded->name, with ':' for each ';', which is the separator.
static void add_name(struct folded *folded)
{
	for (size_t i = 0; i < folded->name.size; i++) {
		if (folded->name.data[i] == ';')
			folded->name.data[i] = ':';
	}
	frec__text_add(&folded->line, folded->name.data, folded->name.size);
}

static void add_location(struct folded *folded, const struct frec_location *location)
{
	size_t count = location->names.count ? location->names.count : 1;

	for (size_t i = count; i-- > 0;) {
		frec__text_clear(&folded->name);
		frec__function_text(&folded->name, location, i);
		frec__text_puts(&folded->line, ";");
		add_name(folded);
		if (location->code && location->code->kernel)
			frec__text_puts(&folded->line, "_[k]");
		else if (i + 1 < count)
			frec__text_puts(&folded->line, "_[i]");
	}
}

static int write_stack(struct folded *folded, const struct frec_stack_count *item,
		       struct frec_error *reterr)
{
	frec__text_clear(&folded->line);
	frec__text_clear(&folded->name);
	if (item->process)
		frec__text_plain(&folded->name, item->process->name.data, item->process->name.len);
	if (!folded->name.size)
		frec__text_puts(&folded->name, "unknown");
	add_name(folded);
	// A stack that does not reach the outermost function must not look as if it did.
	if (item->stack->end != FREC_UNWIND_COMPLETE)
		frec__text_printf(&folded->line, ";(%s)", frec__stack_end_word(item->stack->end));
	for (size_t i = item->stack->count; i-- > 0;)
		add_location(folded, item->stack->locations[i]);
	frec__text_printf(&folded->line, " %" PRIu64 "\n", item->count);
	folded->line.failed |= folded->name.failed;
	return frec__output_text(folded->context->output, &folded->line, reterr);
}

static int end(void *state, struct frec_error *reterr)
{
	struct folded *folded = state;
	int r = frec__stack_counts_add_threads(&folded->counts, folded->context->timeline, reterr);

	for (size_t i = 0; i < folded->counts.count && !r; i++)
		r = write_stack(folded, &folded->counts.items[i], reterr);
	return r;
}

static void destroy(void *state)
{
	struct folded *folded = state;

	frec__stack_counts_deinit(&folded->counts);
	frec__text_free(&folded->line);
	frec__text_free(&folded->name);
	free(folded);
}

const struct frec_writer frec__writer_folded = {
	.name = "folded",
	.what = "call stacks for flamegraph.pl and speedscope",
	.suffix = ".folded",
	.several_hosts = true,
	.of_stacks = true,
	.begin = begin,
	.event = event,
	.end = end,
	.destroy = destroy,
};
