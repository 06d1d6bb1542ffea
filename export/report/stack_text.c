// SPDX-License-Identifier: MIT
// Formats stacks. A frame without a name is shown as its program and the address in the program's
// file, which addr2line(1) accepts.
#include "export/report/stack_text.h"

#include <inttypes.h>

// The most functions in one line, because nobody reads a longer line.
#define LINE_FUNCTIONS 8
// The most functions, of this project and of the C library, between the code that emits an event
// and the kernel.
#define EMITTING_FUNCTIONS 12

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static void plain(struct frec_text *text, const char *string)
{
	frec__text_plain(text, string, strlen(string));
}

const char *frec__stack_end_word(enum frec_unwind_reason end)
{
	static const char *const words[] = {
		[FREC_UNWIND_COMPLETE] = "complete",
		[FREC_UNWIND_TRUNCATED] = "truncated",
		[FREC_UNWIND_NO_CFI] = "no call frame information",
		[FREC_UNWIND_BAD_MEMORY] = "bad memory",
		[FREC_UNWIND_BAD_CFI] = "damaged call frame information",
		[FREC_UNWIND_NO_REGISTERS] = "no registers",
		[FREC_UNWIND_LOOP] = "loop",
		[FREC_UNWIND_LIMIT] = "limit",
	};

	return words[end];
}

void frec__function_text(struct frec_text *text, const struct frec_location *location, size_t name)
{
	const struct frec_names *names = &location->names;

	if (name < names->count && names->names[name].function)
		plain(text, names->names[name].function);
	else if (location->code && (location->code->file || location->code->kernel)) {
		plain(text, base_name(location->code->path));
		frec__text_printf(text, "+0x%" PRIx64, location->address);
	} else
		frec__text_printf(text, "0x%" PRIx64, location->pc);
}

// Returns how many of the innermost functions only emitted the event: all up to the outermost
// function whose name has the prefix of this project.
static size_t emitting_functions(const struct frec_call_stack *stack)
{
	size_t function = 0, ours = 0;

	for (size_t i = 0; i < stack->count && function < EMITTING_FUNCTIONS; i++) {
		const struct frec_names *names = &stack->locations[i]->names;

		for (size_t k = 0; k < names->count; k++) {
			const char *name = names->names[k].function;

			function++;
			if (name && !strncmp(name, "frec_", 5))
				ours = function;
		}
		function += !names->count;
	}
	return ours;
}

void frec__stack_line(struct frec_text *text, const struct frec_call_stack *stack)
{
	size_t skip = emitting_functions(stack), shown = 0;

	for (size_t i = 0; i < stack->count; i++) {
		const struct frec_location *location = stack->locations[i];
		size_t names = location->names.count ? location->names.count : 1;

		for (size_t k = 0; k < names; k++) {
			if (skip) {
				skip--;
				continue;
			}
			if (shown == LINE_FUNCTIONS) {
				frec__text_puts(text, " < ...");
				return;
			}
			frec__text_puts(text, shown++ ? " < " : "");
			frec__function_text(text, location, k);
		}
	}
	if (stack->end != FREC_UNWIND_COMPLETE)
		frec__text_printf(text, " < (%s)", frec__stack_end_word(stack->end));
}

static void add_notes(struct frec_text *text, const struct frec_location *location)
{
	const char *path = location->code ? location->code->path : "";

	// That the frame pointer led to this frame is noted only for code without a file, where a
	// caller can be found in no other way. If the kernel followed frame pointers, every frame
	// is of this kind, and a note at each would be noise.
	if (location->kind == FREC_FRAME_FRAME_POINTER && (*path != '/' || path[1] == '/') &&
	    !(location->code && location->code->kernel))
		frec__text_puts(text, "  (by its frame pointer)");
	if (location->kind == FREC_FRAME_RETURN)
		frec__text_puts(text, "  (return address on the stack)");
	if (location->signal)
		frec__text_puts(text, "  (a signal handler returns here)");
	if (location->names.count && !location->names.verified)
		frec__text_puts(text, "  (not verified: no build-id was recorded)");
}

static void add_frame(struct frec_text *text, const struct frec_location *location, uint64_t pc,
		      size_t *number)
{
	const struct frec_names *names = &location->names;
	size_t count = names->count ? names->count : 1;

	for (size_t i = 0; i < count; i++) {
		bool inlined = i + 1 < count;

		frec__text_printf(text, "  #%-3zu ", (*number)++);
		if (inlined)
			frec__text_puts(text, "inlined           ");
		else
			frec__text_printf(text, "0x%016" PRIx64, pc);
		frec__text_puts(text, "  ");
		frec__function_text(text, location, i);
		if (!inlined && names->count && names->offset != UINT64_MAX)
			frec__text_printf(text, "+0x%" PRIx64, names->offset);
		if (i < names->count && names->names[i].file) {
			frec__text_puts(text, "  at ");
			plain(text, names->names[i].file);
			if (names->names[i].line)
				frec__text_printf(text, ":%u", names->names[i].line);
		}
		if (!inlined && location->code && *location->code->path &&
		    (names->count || !(location->code->file || location->code->kernel))) {
			frec__text_puts(text, "  in ");
			plain(text, location->code->path);
		}
		if (!inlined)
			add_notes(text, location);
		frec__text_puts(text, "\n");
	}
}

// Adds why functions of programs on the stack have no better names, each reason once.
static void add_missing(struct frec_text *text, const struct frec_call_stack *stack)
{
	for (size_t i = 0; i < stack->count; i++) {
		const struct frec_error *missing = stack->locations[i]->names.missing;
		bool told = !missing;

		for (size_t k = 0; k < i && !told; k++)
			told = stack->locations[k]->names.missing == missing;
		if (told)
			continue;
		frec__text_puts(text, "       ");
		plain(text, missing->message);
		frec__text_puts(text, "\n");
	}
}

void frec__stack_text(struct frec_text *text, const struct frec_stacks *stacks,
		      const struct frec_call_stack *stack)
{
	size_t number = 0;
	char words[320];

	for (size_t i = 0; i < stack->count; i++)
		add_frame(text, stack->locations[i], frec__stacks_pcs(stacks)[i], &number);
	if (stack->end != FREC_UNWIND_COMPLETE) {
		frec__text_puts(text, "       ends here: ");
		plain(text, frec__unwind_end_words(frec__stacks_end(stacks), words, sizeof(words)));
		frec__text_puts(text, "\n");
	}
	add_missing(text, stack);
}

static void add_function(struct frec_text *text, const struct frec_location *location,
			 const struct frec_name *name)
{
	if (name->function) {
		frec__text_puts(text, ",\"function\":");
		frec__text_json_puts(text, name->function);
	}
	if (name->file) {
		frec__text_puts(text, ",\"file\":");
		frec__text_json_puts(text, name->file);
	}
	if (name->line)
		frec__text_printf(text, ",\"line\":%u", name->line);
	if (name->column)
		frec__text_printf(text, ",\"column\":%u", name->column);
	if (name->inlined)
		frec__text_puts(text, ",\"inlined\":true");
	else if (location->names.offset != UINT64_MAX)
		frec__text_printf(text, ",\"offset\":%" PRIu64, location->names.offset);
}

void frec__location_json(struct frec_text *text, const struct frec_location *location,
			 const uint64_t *pc)
{
	const struct frec_names *names = &location->names;
	const struct frec_code *code = location->code;
	size_t count = names->count ? names->count : 1;

	for (size_t i = 0; i < count; i++) {
		frec__text_printf(text, "%s{\"address\":\"0x%" PRIx64 "\"", i ? "," : "",
				  location->address);
		if (pc)
			frec__text_printf(text, ",\"pc\":\"0x%" PRIx64 "\"", *pc);
		if (i < names->count)
			add_function(text, location, &names->names[i]);
		if (code && *code->path) {
			frec__text_puts(text, ",\"module\":");
			frec__text_json_puts(text, code->path);
		}
		if (code && code->build_id_size) {
			frec__text_puts(text, ",\"build_id\":\"");
			frec__text_hex(text, code->build_id, code->build_id_size);
			frec__text_puts(text, "\"");
		}
		if (location->kind == FREC_FRAME_FRAME_POINTER)
			frec__text_puts(text, ",\"found_by\":\"frame pointer\"");
		if (location->kind == FREC_FRAME_RETURN)
			frec__text_puts(text, ",\"found_by\":\"return address\"");
		if (location->signal)
			frec__text_puts(text, ",\"signal\":true");
		if (names->count && !names->verified)
			frec__text_puts(text, ",\"verified\":false");
		frec__text_puts(text, "}");
	}
}

void frec__stack_json(struct frec_text *text, const struct frec_stacks *stacks,
		      const struct frec_call_stack *stack)
{
	frec__text_puts(text, "[");
	for (size_t i = 0; i < stack->count; i++) {
		frec__text_puts(text, i ? "," : "");
		frec__location_json(text, stack->locations[i], &frec__stacks_pcs(stacks)[i]);
	}
	frec__text_puts(text, "]");
}
