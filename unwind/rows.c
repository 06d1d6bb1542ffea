// SPDX-License-Identifier: MIT
// Functions sorted by address, and the rows of those that were looked up.
#include "unwind/rows.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "proto/bytes.h"
#include "proto/grow.h"
#include "unwind/cfi_run.h"
#include "unwind/row.h"

struct function {
	uint32_t start;	 // from rows->base
	uint32_t offset; // of the FDE in the section
	uint32_t first;	 // index of its first row
	uint32_t count;	 // of rows; 0: not computed yet
};

struct frec_rows {
	const struct frec_cfi *cfi;
	const struct frec_registers *machine;
	uint64_t base;
	struct function *functions;
	size_t function_count;
	struct frec_row *rows;
	size_t row_count, row_max;
	size_t compiled;
};

static int compare_functions(const void *left, const void *right)
{
	const struct function *a = left, *b = right;

	return a->start != b->start ? (a->start < b->start ? -1 : 1)
				    : (a->offset > b->offset) - (a->offset < b->offset);
}

static int add_function(struct frec_rows *rows, uint64_t address, uint64_t offset)
{
	if (address < rows->base || address - rows->base > UINT32_MAX || offset > UINT32_MAX)
		return 0; // no real module is that large: skip this function, use the others
	if (!frec__grow(&rows->functions, rows->function_count, sizeof(*rows->functions)))
		return -ENOMEM;
	rows->functions[rows->function_count++] = (struct function){
		.start = (uint32_t)(address - rows->base), .offset = (uint32_t)offset};
	return 0;
}

// Reads the table that the linker made. Returns 0, -ENOMEM, or -ENODATA if the table does not have
// the encoding that all linkers use, is not sorted, or points outside the section.
static int read_header(struct frec_rows *rows, const Elf_Data *header)
{
	struct frec_bytes cursor = frec__bytes(header->d_buf, header->d_size);
	uint64_t base = rows->cfi->base, last = 0, count;

	if (frec__bytes_number(&cursor, 1) != 1 ||
	    frec__bytes_number(&cursor, 1) != (DW_EH_PE_pcrel | DW_EH_PE_sdata4) ||
	    frec__bytes_number(&cursor, 1) != DW_EH_PE_udata4 ||
	    frec__bytes_number(&cursor, 1) != (DW_EH_PE_datarel | DW_EH_PE_sdata4))
		return -ENODATA;
	frec__bytes_take(&cursor, 4);
	count = frec__bytes_number(&cursor, 4);
	if (cursor.failed || !count || count > frec__bytes_left(&cursor) / 8)
		return -ENODATA;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t start = base + (uint64_t)frec__bytes_signed(&cursor, 4);
		uint64_t entry = base + (uint64_t)frec__bytes_signed(&cursor, 4);
		uint64_t offset = entry - rows->cfi->address;

		if (start < last || start < rows->base || offset >= rows->cfi->data->d_size) {
			rows->function_count = 0;
			return -ENODATA;
		}
		last = start;
		if (add_function(rows, start, offset))
			return -ENOMEM;
	}
	return 0;
}

// Finds the functions of a section without a usable table. Returns 0, -ENOMEM or -EBADMSG.
static int read_section(struct frec_rows *rows, struct frec_error *reterr)
{
	uint64_t offset = 0, next;
	struct frec_fde fde;
	int r;

	for (;; offset = next) {
		next = 0;
		r = frec__cfi_read(rows->cfi, offset, &next, &fde, reterr);
		if (r == -ENODATA || (r < 0 && !next))
			break;
		if (r > 0 && fde.end > fde.start)
			r = add_function(rows, fde.start, offset);
		if (r == -ENOMEM)
			return r;
	}
	if (rows->function_count)
		qsort(rows->functions, rows->function_count, sizeof(*rows->functions),
		      compare_functions);
	return rows->function_count || r == -ENODATA ? 0 : r;
}

// Frees the unused part of the array of functions, once all are in it.
static void trim(struct frec_rows *rows)
{
	struct function *exact = NULL;

	if (rows->function_count)
		exact = reallocarray(rows->functions, rows->function_count, sizeof(*exact));
	if (exact)
		rows->functions = exact;
}

int frec__rows_create(const struct frec_cfi *cfi, const Elf_Data *header, uint64_t base,
		      const struct frec_registers *machine, struct frec_rows **ret,
		      struct frec_error *reterr)
{
	struct frec_rows *rows = calloc(1, sizeof(*rows));
	int r = -ENODATA;

	if (!rows)
		return frec__error(reterr, -ENOMEM, "%s: out of memory", cfi->module);
	rows->cfi = cfi;
	rows->machine = machine;
	rows->base = base;
	// An instruction has at least one byte and makes at most one row, and each function has one
	// more. Functions that share their instructions could make any number of rows, so they need
	// this limit.
	rows->row_max = cfi->data->d_size;
	if (header)
		r = read_header(rows, header);
	if (r == -ENODATA)
		r = read_section(rows, reterr);
	if (r) {
		frec__rows_destroy(rows);
		return r;
	}
	trim(rows);
	*ret = rows;
	return 0;
}

void frec__rows_destroy(struct frec_rows *rows)
{
	if (!rows)
		return;
	free(rows->functions);
	free(rows->rows);
	free(rows);
}

static int add_row(struct frec_rows *rows, struct frec_row row)
{
	if (rows->row_count == rows->row_max)
		return -E2BIG;
	if (!frec__grow(&rows->rows, rows->row_count, sizeof(*rows->rows)))
		return -ENOMEM;
	rows->rows[rows->row_count++] = row;
	return 0;
}

struct compilation {
	struct frec_rows *rows;
	const struct frec_fde *fde;
	size_t first;
};

static int compile_row(void *context, uint64_t from, uint64_t to, const struct frec_rules *rules)
{
	struct compilation *compilation = context;
	struct frec_rows *rows = compilation->rows;
	struct frec_row row = frec__row_from_rules(rules, compilation->fde, rows->machine);

	(void)to;
	if (rows->row_count > compilation->first) {
		const struct frec_row *last = &rows->rows[rows->row_count - 1];

		// If only the rule of a register without a place in a row changed, this row equals
		// the last.
		if (last->kind == row.kind && last->cfa_offset == row.cfa_offset &&
		    last->fp_slot == row.fp_slot && last->ra_slot == row.ra_slot)
			return 0;
	}
	if (from - compilation->fde->start > FREC_ROW_START_MAX)
		return -E2BIG;
	row.start = (uint32_t)(from - compilation->fde->start) & FREC_ROW_START_MAX;
	return add_row(rows, row);
}

// Computes the rows of a function, with FREC_ROW_NONE as the last, at the end of the function. Does
// nothing if the function ends at or before `pc`. Returns 0, -ENOMEM or -EBADMSG.
static int compile(struct frec_rows *rows, struct function *function, uint64_t pc,
		   struct frec_error *reterr)
{
	struct frec_fde fde;
	struct compilation compilation = {rows, &fde, rows->row_count};
	int r = frec__cfi_read(rows->cfi, function->offset, NULL, &fde, reterr);

	if (r <= 0)
		return r < 0 ? -EBADMSG : 0;
	if (fde.start != rows->base + function->start || fde.end - fde.start > FREC_ROW_START_MAX)
		return frec__error(reterr, -EBADMSG, "%s: .eh_frame_hdr names another function",
				   rows->cfi->module);
	if (pc >= fde.end)
		return 0;
	r = frec__cfi_run(rows->cfi, &fde, compile_row, &compilation, reterr);
	if (!r)
		r = add_row(rows, (struct frec_row){.start = (uint32_t)(fde.end - fde.start) &
							     FREC_ROW_START_MAX,
						    .kind = FREC_ROW_NONE});
	if (r) {
		rows->row_count = compilation.first;
		return r == -E2BIG ? frec__error(reterr, -EBADMSG,
						 "%s: more call frame information than fits",
						 rows->cfi->module)
				   : r;
	}
	function->first = (uint32_t)compilation.first;
	function->count = (uint32_t)(rows->row_count - compilation.first);
	rows->compiled++;
	return 0;
}

// The last function that begins at or before `pc`, or NULL.
static struct function *find_function(struct frec_rows *rows, uint64_t pc)
{
	struct function *base = rows->functions;
	size_t count = rows->function_count;
	uint32_t start = (uint32_t)(pc - rows->base);

	if (pc < rows->base || pc - rows->base > UINT32_MAX || !count || base->start > start)
		return NULL;
	while (count > 1) {
		size_t half = count / 2;

		// This form compiles to a conditional move; a branch here could not be predicted.
		base = base[half].start <= start ? base + half : base;
		count -= half;
	}
	return base;
}

int frec__rows_find(struct frec_rows *rows, uint64_t pc, struct frec_row *ret,
		    struct frec_error *reterr)
{
	struct function *function = find_function(rows, pc);
	const struct frec_row *row;
	uint64_t distance;
	size_t count;

	*ret = (struct frec_row){.kind = FREC_ROW_NONE};
	if (!function)
		return 0;
	if (!function->count) {
		int r = compile(rows, function, pc, reterr);

		if (r || !function->count)
			return r;
	}
	distance = pc - rows->base - function->start;
	row = &rows->rows[function->first];
	count = function->count;
	while (count > 1) {
		size_t half = count / 2;

		row = row[half].start <= distance ? row + half : row;
		count -= half;
	}
	*ret = *row;
	return 0;
}

struct rules_query {
	uint64_t pc;
	struct frec_rules *rules;
};

static int store_rules(void *context, uint64_t from, uint64_t to, const struct frec_rules *rules)
{
	struct rules_query *query = context;

	(void)from;
	if (query->pc >= to)
		return 0;
	*query->rules = *rules;
	return 1;
}

int frec__rows_rules(struct frec_rows *rows, uint64_t pc, struct frec_rules *ret_rules,
		     struct frec_fde *ret_fde, struct frec_error *reterr)
{
	const struct function *function = find_function(rows, pc);
	struct rules_query query = {pc, ret_rules};
	int r;

	if (!function)
		return -ENOENT;
	r = frec__cfi_read(rows->cfi, function->offset, NULL, ret_fde, reterr);
	if (r < 0)
		return -EBADMSG;
	if (!r || pc < ret_fde->start || pc >= ret_fde->end)
		return -ENOENT;
	r = frec__cfi_run(rows->cfi, ret_fde, store_rules, &query, reterr);
	return r > 0 ? 0 : r < 0 ? r : -ENOENT;
}

void frec__rows_statistics(const struct frec_rows *rows, struct frec_rows_statistics *ret)
{
	*ret = (struct frec_rows_statistics){
		.functions = rows->function_count,
		.functions_compiled = rows->compiled,
		.rows = rows->row_count,
		.bytes = sizeof(*rows) + rows->function_count * sizeof(*rows->functions) +
			 rows->row_count * sizeof(*rows->rows),
	};
}

int frec__rows_compile_all(struct frec_rows *rows)
{
	for (size_t i = 0; i < rows->function_count; i++) {
		if (!rows->functions[i].count &&
		    compile(rows, &rows->functions[i], rows->base + rows->functions[i].start,
			    NULL) == -ENOMEM)
			return -ENOMEM;
	}
	return 0;
}
