// SPDX-License-Identifier: MIT
// Interns call stacks as a tree. The functions that are inlined at one location are consecutive
// nodes, so one lookup for each location is enough.
#include "export/stack_tree.h"

#include <errno.h>
#include <stdlib.h>

#include "export/report/stack_text.h"
#include "proto/grow.h"

// Used in place of a location's id for the missing frames of an incomplete stack, which have no
// location. The reason why the stack ends is subtracted from this number, so each reason has a
// number of its own.
#define NO_LOCATION UINT32_MAX

static int append(struct frec_stack_tree *tree, const struct frec_stack_node *node)
{
	if (!frec__grow(&tree->nodes, tree->count, sizeof(*tree->nodes)))
		return -ENOMEM;
	tree->nodes[tree->count++] = *node;
	return 0;
}

// Adds a node for each function at a location that node `caller` calls, unless they exist. Without
// a location, adds one node for missing frames. Returns the innermost function's node, or -ENOMEM.
static int64_t call(struct frec_stack_tree *tree, uint32_t caller,
		    const struct frec_location *location, enum frec_unwind_reason end)
{
	uint32_t id = location ? location->id : NO_LOCATION - (uint32_t)end;
	size_t functions = location && location->names.count ? location->names.count : 1;
	uint32_t *last = frec__table_put(&tree->called, (uint64_t)caller << 32 | id, NULL);
	int r = last ? 0 : -ENOMEM;

	if (r || *last)
		return r ? r : (int64_t)*last;
	for (size_t i = functions; i-- > 0 && !r;) {
		const struct frec_stack_node node = {
			.caller = i + 1 == functions ? caller : (uint32_t)tree->count,
			.function = (uint32_t)i,
			.location = location,
			.end = end};

		r = append(tree, &node);
	}
	if (!r)
		*last = (uint32_t)tree->count;
	return r ? r : (int64_t)*last;
}

int64_t frec__stack_tree_add(struct frec_stack_tree *tree, const struct frec_call_stack *stack)
{
	uint32_t *known;
	int64_t node = 0;

	if (!stack)
		return 0;
	known = frec__by_id(&tree->stacks, stack->id, sizeof(*known));
	if (!known || *known)
		return known ? (int64_t)*known : -ENOMEM;
	if (stack->end != FREC_UNWIND_COMPLETE)
		node = call(tree, 0, NULL, stack->end);
	for (size_t i = stack->count; i-- > 0 && node >= 0;)
		node = call(tree, (uint32_t)node, stack->locations[i], FREC_UNWIND_COMPLETE);
	if (node > 0)
		*known = (uint32_t)node;
	return node;
}

void frec__stack_node_text(struct frec_text *text, const struct frec_stack_node *node)
{
	if (node->location)
		frec__function_text(text, node->location, node->function);
	else
		frec__text_printf(text, "(%s)", frec__stack_end_word(node->end));
}

void frec__stack_tree_deinit(struct frec_stack_tree *tree)
{
	free(tree->nodes);
	free(tree->stacks.entries);
	frec__table_free(&tree->called);
	*tree = (struct frec_stack_tree){0};
}
