/* SPDX-License-Identifier: MIT */
/*
 * Call stacks as a tree, for formats in which a stack is its innermost function, and a function
 * knows the one that called it. Memory grows with the number of different call stacks.
 */
#ifndef FREC_EXPORT_STACK_TREE_H
#define FREC_EXPORT_STACK_TREE_H

#include "export/by_id.h"
#include "proto/table.h"
#include "export/timeline/stacks.h"
#include "export/read/text.h"

struct frec_stack_node {
	uint32_t caller; /* number of the node, 0: none */
	uint32_t
		/* which of the location's, 0 is the innermost of those that were inlined */
		function;
	/* NULL: stands for what is not there, where a stack does not go back to the outermost
	 * function. */
	const struct frec_location *location;
	enum frec_unwind_reason end; /* then why */
};

/* Starts with zeroes. */
struct frec_stack_tree {
	/* the first has the number 1; callers come before whom they call */
	struct frec_stack_node *nodes;
	size_t count, room;
	struct frec_table called; /* nodes by the node that calls and the location */
	struct frec_by_id stacks; /* uint32_t: nodes by the stack's number */
};

/* The number of the stack's innermost function, 0: there is no stack; or -ENOMEM. */
int64_t frec__stack_tree_add(struct frec_stack_tree *tree, const struct frec_call_stack *stack);

/* A function's name, as frec__function_text; or why there is none, in parentheses. */
void frec__stack_node_text(struct frec_text *text, const struct frec_stack_node *node);

void frec__stack_tree_deinit(struct frec_stack_tree *tree);

#endif
