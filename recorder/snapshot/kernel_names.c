// SPDX-License-Identifier: MIT
// Names for kernel addresses. There are hundreds of thousands of symbols and only hundreds of
// addresses, so the addresses are sorted and kept, and the symbols are streamed past them. Each
// symbol is assigned to the lowest address at or above its start. The symbol of an address is then
// the highest one that was assigned to it or to an address below it.
#include "recorder/snapshot/kernel_names.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#include "proto/cleanup.h"

// No function is longer than this. An address farther above a symbol is in code without a name,
// such as code that was generated at run time above the last function of a module.
#define FUNCTION_MAX (UINT64_C(1) << 20)
// In a call chain, values from here on are markers: they say whether the addresses after them are
// of the kernel or of the program.
#define CONTEXT_FIRST ((uint64_t)-4095)
// Number of symbols between two calls of `on_progress`.
#define TURN 16384

struct found {
	uint64_t address; // the collected address
	uint64_t start;	  // where the symbol assigned to it begins; 0: no symbol
	char name[128], module[64];
};

void frec__kernel_names_deinit(struct frec_kernel_names *names)
{
	frec__table_free(&names->address);
}

void frec__kernel_names_add(struct frec_kernel_names *names, const uint8_t *callchain, size_t count)
{
	bool kernel = false, first = false;

	for (size_t i = 0; i < count; i++) {
		uint64_t address;

		memcpy(&address, callchain + i * sizeof(address), sizeof(address));
		if (address >= CONTEXT_FIRST) {
			kernel = first = address == (uint64_t)PERF_CONTEXT_KERNEL;
			continue;
		}
		if (!kernel)
			continue;
		// Addresses of callers are return addresses. One of these can be the start of the
		// next function, so the byte before the address is looked up.
		address -= !first;
		if (address && names->address.count < FREC_KERNEL_ADDRESSES_MAX)
			frec__table_put(&names->address, address, NULL);
		first = false;
	}
}

static int by_address(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

// Parses a line: "ffffffff81000000 T name", and then a tab and "[module]" if the symbol is in a
// module. Returns false if it is not a symbol of code.
static bool parse(char *line, uint64_t *ret_start, const char **ret_name, const char **ret_module)
{
	char *end, *bracket;

	*ret_start = strtoull(line, &end, 16);
	if (!*ret_start || end[0] != ' ' || !strchr("tTwW", end[1]) || end[2] != ' ')
		return false;
	*ret_name = end + 3;
	end += 3 + strcspn(end + 3, " \t\n");
	bracket = strchr(end, '[');
	*ret_module = bracket ? bracket + 1 : "";
	*end = 0;
	if (bracket)
		bracket[strcspn(bracket, "]\n")] = 0;
	return true;
}

static void assign(struct found *found, size_t count, uint64_t start, const char *name,
		   const char *module)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (found[middle].address < start)
			low = middle + 1;
		else
			high = middle;
	}
	// If a function has several names, the first one in the file is used.
	if (low == count || found[low].start >= start)
		return;
	found[low].start = start;
	snprintf(found[low].name, sizeof(found[low].name), "%s", name);
	snprintf(found[low].module, sizeof(found[low].module), "%s", module);
}

static size_t read_symbols(struct found *found, size_t count, FILE *kallsyms,
			   void (*on_progress)(void *), void *context)
{
	FREC_FREE char *line = NULL;
	const char *name, *module;
	size_t room = 0, symbols = 0;
	uint64_t start;

	while (getline(&line, &room, kallsyms) > 0) {
		if (!parse(line, &start, &name, &module))
			continue;
		assign(found, count, start, name, module);
		if (++symbols % TURN == 0 && on_progress)
			on_progress(context);
	}
	return symbols;
}

void frec__kernel_names_free(Flightrec__KernelSymbols *symbols)
{
	for (size_t i = 0; i < symbols->n_symbol; i++) {
		free(symbols->symbol[i]->name);
		free(symbols->symbol[i]->module);
		free(symbols->symbol[i]);
	}
	free(symbols->symbol);
	flightrec__kernel_symbols__init(symbols);
}

static int add(Flightrec__KernelSymbols *symbols, uint64_t address, const char *name,
	       const char *module)
{
	Flightrec__KernelSymbol *symbol = malloc(sizeof(*symbol));

	if (!symbol)
		return -ENOMEM;
	flightrec__kernel_symbol__init(symbol);
	symbol->address = address;
	symbol->name = strdup(name);
	symbol->module = strdup(module);
	symbols->symbol[symbols->n_symbol++] = symbol;
	return symbol->name && symbol->module ? 0 : -ENOMEM;
}

static int list_symbols(const struct found *found, size_t count, Flightrec__KernelSymbols *ret)
{
	const struct found *nearest = NULL;
	uint64_t last = 0;
	int r = 0;

	flightrec__kernel_symbols__init(ret);
	ret->symbol = calloc(count, sizeof(*ret->symbol));
	if (!ret->symbol)
		return -ENOMEM;
	for (size_t i = 0; i < count && !r; i++) {
		bool known;

		if (found[i].start)
			nearest = &found[i];
		known = nearest && found[i].address - nearest->start < FUNCTION_MAX;
		if (!known)
			r = add(ret, found[i].address, "", "");
		else if (nearest->start != last)
			r = add(ret, nearest->start, nearest->name, nearest->module);
		last = known ? nearest->start : 0;
	}
	return r;
}

int frec__kernel_names_find(const struct frec_kernel_names *names, FILE *kallsyms,
			    void (*on_progress)(void *), void *context,
			    Flightrec__KernelSymbols *ret)
{
	FREC_FREE struct found *found = calloc(names->address.count + 1, sizeof(*found));
	size_t count = 0;
	int r;

	if (!found)
		return -ENOMEM;
	for (size_t i = 0; i < names->address.size; i++) {
		if (names->address.slots[i].used)
			found[count++].address = names->address.slots[i].key;
	}
	qsort(found, count, sizeof(*found), by_address);
	if (!count || !read_symbols(found, count, kallsyms, on_progress, context))
		return -ENODATA;
	r = list_symbols(found, count, ret);
	if (r)
		frec__kernel_names_free(ret);
	return r;
}

static int setting(const char *path)
{
	FREC_FCLOSE FILE *file = fopen(path, "re");
	int value;

	return file && fscanf(file, "%d", &value) == 1 ? value : INT32_MAX;
}

bool frec__kernel_names_public(void)
{
	return setting("/proc/sys/kernel/kptr_restrict") == 0 &&
	       setting("/proc/sys/kernel/perf_event_paranoid") <= 1;
}
