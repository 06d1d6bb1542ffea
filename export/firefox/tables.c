// SPDX-License-Identifier: MIT
// A table of the profile is an object with a length and an array for each column. Tables refer to
// each other by index:
//
//	stackTable -> frameTable -> funcTable -> resourceTable -> libs
//	                                     \-> sources
//
// Every node of the stack tree (stack_tree.h) is a stack with a frame of its own. What the profiler
// draws are functions, so nodes with the same name in the same program share one function.
#include "export/firefox/tables.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// JavaScript can represent every integer up to this one.
#define INTEGER_MAX (UINT64_C(1) << 53)

#define NONE UINT32_MAX

struct function {
	uint32_t name, program, source; // NONE: unknown
};

struct build {
	struct frec_firefox_tables *tables;
	uint32_t *functions_of; // by index of the node
	struct function *functions;
	const struct frec_code **programs;
	uint32_t *program_names, *sources; // numbers of strings
	uint32_t function_count, program_count, source_count;
	struct frec_table by_name, by_file; // indices of functions and sources, plus 1
	struct frec_by_id by_code;	    // entries are uint32_t: index of the program plus 1
	struct frec_output *output;
	struct frec_text text;
	const char *machine;
};

static uint32_t string(struct build *build, const char *words)
{
	int64_t number = frec__strings_add(&build->tables->strings, words);

	build->text.failed |= number < 0;
	return number < 0 ? 0 : (uint32_t)number;
}

static uint32_t program_of(struct build *build, const struct frec_code *code)
{
	const char *slash = strrchr(code->path, '/');
	uint32_t *program = frec__by_id(&build->by_code, code->id, sizeof(*program));

	build->text.failed |= !program;
	if (!program)
		return NONE;
	if (!*program) {
		build->program_names[build->program_count] =
			string(build, slash ? slash + 1 : code->path);
		build->programs[build->program_count] = code;
		*program = ++build->program_count;
	}
	return *program - 1;
}

static const struct frec_name *name_of(const struct frec_stack_node *node)
{
	return node->location && node->location->names.count
		       ? &node->location->names.names[node->function]
		       : NULL;
}

static uint32_t source_of(struct build *build, const char *file)
{
	uint32_t number = string(build, file),
		 *source = frec__table_put(&build->by_file, number, NULL);

	build->text.failed |= !source;
	if (!source)
		return NONE;
	if (!*source) {
		build->sources[build->source_count] = number;
		*source = ++build->source_count;
	}
	return *source - 1;
}

static uint32_t function_of(struct build *build, const struct frec_stack_node *node)
{
	const struct frec_name *name = name_of(node);
	struct function made = {.program = NONE, .source = NONE};
	FREC_TEXT_FREE struct frec_text words = {0};
	uint32_t *function;

	frec__stack_node_text(&words, node);
	build->text.failed |= words.failed;
	made.name = string(build, words.data ? words.data : "");
	if (node->location && node->location->code)
		made.program = program_of(build, node->location->code);
	function = frec__table_put(&build->by_name, (uint64_t)made.name << 32 | made.program, NULL);
	build->text.failed |= !function;
	if (!function)
		return 0;
	if (!*function) {
		if (name && name->file)
			made.source = source_of(build, name->file);
		build->functions[build->function_count] = made;
		*function = ++build->function_count;
	}
	return *function - 1;
}

static int collect(struct build *build)
{
	const struct frec_stack_tree *stacks = &build->tables->stacks;

	// Each node adds at most one entry to each table.
	build->functions_of = calloc(stacks->count + 1, sizeof(*build->functions_of));
	build->functions = calloc(stacks->count + 1, sizeof(*build->functions));
	build->programs = calloc(stacks->count + 1, sizeof(const struct frec_code *));
	build->program_names = calloc(stacks->count + 1, sizeof(*build->program_names));
	build->sources = calloc(stacks->count + 1, sizeof(*build->sources));
	if (!build->functions_of || !build->functions || !build->programs ||
	    !build->program_names || !build->sources)
		return -ENOMEM;
	for (size_t i = 0; i < stacks->count; i++)
		build->functions_of[i] = function_of(build, &stacks->nodes[i]);
	return build->text.failed ? -ENOMEM : 0;
}

// Adds the cell of a column in row `i`. Of the functions below, those for columns with the same
// value in all rows come first.
typedef void add_cell(struct build *build, size_t i);

static void add_null(struct build *build, size_t i)
{
	(void)i;
	frec__text_puts(&build->text, "null");
}

static void add_zero(struct build *build, size_t i)
{
	(void)i;
	frec__text_puts(&build->text, "0");
}

static void add_one(struct build *build, size_t i)
{
	(void)i;
	frec__text_puts(&build->text, "1");
}

static void add_false(struct build *build, size_t i)
{
	(void)i;
	frec__text_puts(&build->text, "false");
}

static void add_index(struct build *build, size_t i)
{
	frec__text_printf(&build->text, "%zu", i);
}

static void add_number(struct build *build, uint32_t number, const char *none)
{
	if (number == NONE)
		frec__text_puts(&build->text, none);
	else
		frec__text_printf(&build->text, "%" PRIu32, number);
}

static const struct frec_stack_node *node_at(const struct build *build, size_t i)
{
	return &build->tables->stacks.nodes[i];
}

static void add_prefix(struct build *build, size_t i)
{
	uint32_t caller = node_at(build, i)->caller;

	add_number(build, caller ? caller - 1 : NONE, "null");
}

static void add_address(struct build *build, size_t i)
{
	const struct frec_location *location = node_at(build, i)->location;

	if (location && location->code && location->address < INTEGER_MAX)
		frec__text_printf(&build->text, "%" PRIu64, location->address);
	else
		frec__text_puts(&build->text, "-1");
}

static void add_depth(struct build *build, size_t i)
{
	const struct frec_stack_node *node = node_at(build, i);

	frec__text_printf(&build->text, "%zu",
			  name_of(node) ? node->location->names.count - 1 - node->function : 0);
}

static void add_category(struct build *build, size_t i)
{
	const struct frec_location *location = node_at(build, i)->location;
	bool kernel = location && location->code && location->code->kernel;

	add_number(build,
		   kernel     ? FREC_FIREFOX_KERNEL
		   : location ? FREC_FIREFOX_USER
			      : FREC_FIREFOX_OTHER,
		   "");
}

static void add_function(struct build *build, size_t i)
{
	add_number(build, build->functions_of[i], "");
}

static void add_line(struct build *build, size_t i)
{
	const struct frec_name *name = name_of(node_at(build, i));

	add_number(build, name && name->line ? name->line : NONE, "null");
}

static void add_column(struct build *build, size_t i)
{
	const struct frec_name *name = name_of(node_at(build, i));

	add_number(build, name && name->line && name->column ? name->column : NONE, "null");
}

static void add_function_name(struct build *build, size_t i)
{
	add_number(build, build->functions[i].name, "");
}

static void add_function_program(struct build *build, size_t i)
{
	add_number(build, build->functions[i].program, "-1");
}

static void add_function_source(struct build *build, size_t i)
{
	add_number(build, build->functions[i].source, "null");
}

static void add_program_name(struct build *build, size_t i)
{
	add_number(build, build->program_names[i], "");
}

static void add_source_name(struct build *build, size_t i)
{
	add_number(build, build->sources[i], "");
}

static void add_string(struct build *build, size_t i)
{
	frec__text_json_puts(&build->text, build->tables->strings.strings[i]);
}

// Adds a build-id as Breakpad writes it: the first 16 bytes as a GUID, whose first three numbers
// have the lowest byte first, then an age, which is always 0.
static void add_breakpad_id(struct frec_text *text, const struct frec_code *code)
{
	static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

	for (size_t i = 0; i < sizeof(order) && code->build_id_size; i++)
		frec__text_printf(text, "%02X",
				  order[i] < code->build_id_size ? code->build_id[order[i]] : 0);
	frec__text_puts(text, code->build_id_size ? "0" : "");
}

static void add_library(struct build *build, size_t i)
{
	const char *name = build->tables->strings.strings[build->program_names[i]];
	const struct frec_code *code = build->programs[i];
	struct frec_text *text = &build->text;

	frec__text_puts(text, i ? "\n{\"arch\":" : "{\"arch\":");
	frec__text_json_puts(text, build->machine);
	for (int debug = 0; debug < 2; debug++) {
		frec__text_puts(text, debug ? ",\"debugName\":" : ",\"name\":");
		frec__text_json_puts(text, name);
		frec__text_puts(text, debug ? ",\"debugPath\":" : ",\"path\":");
		frec__text_json_puts(text, code->path);
	}
	frec__text_puts(text, ",\"breakpadId\":\"");
	add_breakpad_id(text, code);
	frec__text_puts(text, "\",\"codeId\":");
	frec__text_puts(text, code->build_id_size ? "\"" : "null");
	frec__text_hex(text, code->build_id, code->build_id_size);
	frec__text_puts(text, code->build_id_size ? "\"}" : "}");
}

static int write_array(struct build *build, const char *before, size_t count, add_cell *add,
		       struct frec_error *reterr)
{
	int r = 0;

	frec__text_puts(&build->text, before);
	frec__text_puts(&build->text, "[");
	for (size_t i = 0; i < count && !r; i++) {
		frec__text_puts(&build->text, i ? "," : "");
		add(build, i);
		r = frec__output_text(build->output, &build->text, reterr);
		frec__text_clear(&build->text);
	}
	frec__text_puts(&build->text, "]");
	return r;
}

struct column {
	const char *name; // with JSON's punctuation around it
	add_cell *add;
};

static const struct column stack_columns[] = {
	{",\"frame\":", add_index}, {",\"prefix\":", add_prefix}, {NULL, NULL}};

static const struct column frame_columns[] = {
	{",\"address\":", add_address},	   {",\"inlineDepth\":", add_depth},
	{",\"category\":", add_category},  {",\"subcategory\":", add_zero},
	{",\"func\":", add_function},	   {",\"nativeSymbol\":", add_null},
	{",\"innerWindowID\":", add_null}, {",\"line\":", add_line},
	{",\"column\":", add_column},	   {NULL, NULL},
};

static const struct column function_columns[] = {
	{",\"name\":", add_function_name},     {",\"isJS\":", add_false},
	{",\"relevantForJS\":", add_false},    {",\"resource\":", add_function_program},
	{",\"source\":", add_function_source}, {",\"lineNumber\":", add_null},
	{",\"columnNumber\":", add_null},      {NULL, NULL},
};

static const struct column resource_columns[] = {
	{",\"lib\":", add_index},
	{",\"name\":", add_program_name},
	{",\"host\":", add_null},
	{",\"type\":", add_one},
	{NULL, NULL},
};

static const struct column symbol_columns[] = {
	{",\"libIndex\":", add_null},
	{",\"address\":", add_null},
	{",\"name\":", add_null},
	{",\"functionSize\":", add_null},
	{NULL, NULL},
};

static const struct column source_columns[] = {
	{",\"id\":", add_null}, {",\"filename\":", add_source_name}, {NULL, NULL}};

static int write_table(struct build *build, const char *name, size_t count,
		       const struct column *columns, struct frec_error *reterr)
{
	int r = 0;

	frec__text_printf(&build->text, "\"%s\":{\"length\":%zu", name, count);
	for (; columns->name && !r; columns++)
		r = write_array(build, columns->name, count, columns->add, reterr);
	frec__text_puts(&build->text, "},\n");
	return r;
}

static int write_all(struct build *build, struct frec_error *reterr)
{
	size_t stacks = build->tables->stacks.count;
	int r = write_array(build, ",\n\"libs\":", build->program_count, add_library, reterr);

	frec__text_puts(&build->text, ",\n\"shared\":{\n");
	if (!r)
		r = write_table(build, "stackTable", stacks, stack_columns, reterr);
	if (!r)
		r = write_table(build, "frameTable", stacks, frame_columns, reterr);
	if (!r)
		r = write_table(build, "funcTable", build->function_count, function_columns,
				reterr);
	if (!r)
		r = write_table(build, "resourceTable", build->program_count, resource_columns,
				reterr);
	if (!r)
		r = write_table(build, "nativeSymbols", 0, symbol_columns, reterr);
	if (!r)
		r = write_table(build, "sources", build->source_count, source_columns, reterr);
	if (!r)
		r = write_array(build, "\"stringArray\":", build->tables->strings.count, add_string,
				reterr);
	frec__text_puts(&build->text, "}");
	return r ? r : frec__output_text(build->output, &build->text, reterr);
}

int frec__firefox_tables_write(struct frec_firefox_tables *tables, const char *machine,
			       struct frec_output *output, struct frec_error *reterr)
{
	struct build build = {.tables = tables, .output = output, .machine = machine};
	int r = collect(&build);

	r = r ? frec__error(reterr, r, "out of memory") : write_all(&build, reterr);
	free(build.functions_of);
	free(build.functions);
	free(build.programs);
	free(build.program_names);
	free(build.sources);
	free(build.by_code.entries);
	frec__table_free(&build.by_name);
	frec__table_free(&build.by_file);
	frec__text_free(&build.text);
	return r;
}

void frec__firefox_tables_deinit(struct frec_firefox_tables *tables)
{
	frec__strings_deinit(&tables->strings);
	frec__stack_tree_deinit(&tables->stacks);
}
