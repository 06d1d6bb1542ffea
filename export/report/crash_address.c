// SPDX-License-Identifier: MIT
// Says what kind of address the faulting one is.
#include "export/report/crash_address.h"

#include <inttypes.h>
#include <signal.h>

#include "unwind/registers.h"
#include "unwind/unwind.h"

// A faulting address below this is taken for a field of a structure at a null pointer. The kernel
// maps nothing there (vm.mmap_min_addr).
#define NULL_PAGES 0x10000
// A faulting address less than this many bytes below the stack pointer counts as part of the stack.
#define STACK_NEAR (1u << 20)

static const Flightrec__Map *code_at(const struct frec_snapshot *snapshot, uint64_t address)
{
	const Flightrec__Map *found = NULL;

	for (size_t i = 0; i < snapshot->process_count; i++) {
		const Flightrec__Process *process = snapshot->processes[i];

		if (process->pid != snapshot->crash->pid || process->start > snapshot->crash->time)
			continue;
		for (size_t k = 0; k < process->n_map; k++) {
			const Flightrec__Map *map = process->map[k];

			if (address >= map->start && address < map->end &&
			    map->since <= snapshot->crash->time)
				found = map;
		}
	}
	return found;
}

static bool has_fault_address(int signal)
{
	return signal == SIGSEGV || signal == SIGBUS;
}

void frec__crash_address_words(struct frec_text *text, const struct frec_snapshot *snapshot)
{
	const Flightrec__Crash *crash = snapshot->crash;
	const struct frec_registers *layout = frec__registers_find(snapshot->header->machine);
	const Flightrec__Map *map;
	uint64_t pc = 0, sp = 0;

	if (crash->fault_case != FLIGHTREC__CRASH__FAULT_ADDRESS ||
	    !has_fault_address(crash->signal))
		return;
	if (layout && crash->registers) {
		const struct frec_unwind_registers registers = {
			crash->registers->mask, crash->registers->value, crash->registers->n_value};

		pc = frec__unwind_register(&registers, layout->pc);
		sp = frec__unwind_register(&registers, layout->sp);
	}
	map = code_at(snapshot, crash->address);
	// On x86_64, SI_KERNEL with address 0 can mean an address that cannot exist (is not
	// canonical), because the processor does not report such an address.
	if (crash->how_case == FLIGHTREC__CRASH__HOW_CODE && crash->code == SI_KERNEL &&
	    !crash->address)
		frec__text_puts(
			text,
			"the processor did not report it: it may be an address that cannot exist");
	else if (crash->registers && crash->address == pc)
		frec__text_puts(text, map ? "the program counter: this may not be executed"
					  : "the program counter: there is no code to jump to");
	else if (!crash->address)
		frec__text_puts(text, "a null pointer");
	else if (crash->address < NULL_PAGES)
		frec__text_printf(text, "%" PRIu64 " bytes behind a null pointer", crash->address);
	else if (crash->address >> 63)
		frec__text_puts(text, "of the kernel");
	else if (map) {
		frec__text_puts(text, "in the code of ");
		frec__text_plain(text, map->path.data, map->path.len);
		frec__text_puts(text, ", which may not be written");
	} else if (sp && crash->address < sp && sp - crash->address < STACK_NEAR)
		frec__text_printf(
			text, "%" PRIu64 " bytes below the stack pointer: the stack was too small",
			sp - crash->address);
	else if (sp && crash->address - sp < 4096)
		frec__text_puts(text, "at the stack pointer: the stack was too small");
}
