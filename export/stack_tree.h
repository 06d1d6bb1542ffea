/* SPDX-License-Identifier: MIT */
/*
 * Call stacks as a tree, for formats in which a stack is identified by its innermost function and
 * each function refers to its caller. Memory grows with the number of distinct call stacks.
 */
#ifndef FREC_EXPORT_STACK_TREE_H
#define FREC_EXPORT_STACK_TREE_H

#include "export/by_id.h"
#include "proto/table.h"
#include "export/timeline/stacks.h"
#include "export/read/text.h"

struct frec_stack_node {
	uint32_t caller;   /* number of the caller's node; 0: none */
	uint32_t function; /* index in the location's functions; 0: the innermost inlined one */
	/* NULL: the node stands for the missing frames of a stack that does not reach the outermost
	 * function. */
	const struct frec_location *location;
	enum frec_unwind_reason end; /* if `location` is NULL: why the stack ends */
};

/* Initialise with zeroes. */
struct frec_stack_tree {
	/* the first node has the number 1; a caller comes before the functions it calls */
	struct frec_stack_node *nodes;
	size_t count;
	struct frec_table called; /* number of the node, by calling node and location */
	struct frec_by_id stacks; /* entries are uint32_t: number of the node, by id of the stack */
};

/* Returns the number of the node of the stack's innermost function; 0 if `stack` is NULL; or
 * -ENOMEM. */
int64_t frec__stack_tree_add(struct frec_stack_tree *tree, const struct frec_call_stack *stack);

/* Adds the function's name, as frec__function_text does, or in parentheses why frames are
 * missing. */
void frec__stack_node_text(struct frec_text *text, const struct frec_stack_node *node);

void frec__stack_tree_deinit(struct frec_stack_tree *tree);

#endif
