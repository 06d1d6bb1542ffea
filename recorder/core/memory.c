// SPDX-License-Identifier: MIT
// Reads the memory of a process through /proc/PID/mem, a page at a time.
#include "recorder/core/memory.h"

#include <string.h>
#include <unistd.h>

static bool is_readable(const struct frec_core_process *process, uint64_t address)
{
	size_t low = 0, high = process->mappings;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (process->mapping[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < process->mappings && process->mapping[low].start <= address &&
	       process->mapping[low].readable;
}

static const struct frec_core_page *find_page(struct frec_core_memory *memory, uint64_t address)
{
	struct frec_core_page *page =
		&memory->page[address / FREC_CORE_PAGE & (FREC_CORE_PAGES - 1)];
	ssize_t n;

	if (page->size && page->address == address)
		return page;
	page->size = 0;
	if (memory->read >= FREC_CORE_PAGES_MAX || !is_readable(memory->process, address))
		return page;
	memory->read++;
	page->address = address;
	// process_vm_readv(2) is not used, because kernels can be built without it.
	n = pread(memory->process->memory, page->bytes, sizeof(page->bytes), (off_t)address);
	page->size = n < 0 ? 0 : (size_t)n;
	return page;
}

bool frec__core_memory_read(void *context, uint64_t address, void *to, size_t size)
{
	uint8_t *at = to;

	while (size) {
		size_t offset = address % FREC_CORE_PAGE, part = FREC_CORE_PAGE - offset;
		const struct frec_core_page *page = find_page(context, address - offset);

		part = part < size ? part : size;
		if (offset + part > page->size)
			return false;
		memcpy(at, page->bytes + offset, part);
		address += part;
		at += part;
		size -= part;
	}
	return true;
}
