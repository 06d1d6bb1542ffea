// SPDX-License-Identifier: MIT
// Unwinds recorded bytes with libdwfl: a Dwfl with a thread whose registers and memory come
// from callbacks.
#include "tests/unwind/others.h"

#include <elfutils/libdwfl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct other {
	Dwfl *dwfl;
	const struct recorded_stack *stack;
	uint64_t *frames;
	size_t count, capacity;
};

static pid_t next_thread(Dwfl *dwfl, void *argument, void **thread_argument)
{
	(void)dwfl;
	*thread_argument = *thread_argument ? NULL : argument;
	return *thread_argument ? 1 : 0;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *argument, void **thread_argument)
{
	(void)dwfl;
	(void)tid;
	*thread_argument = argument;
	return true;
}

static bool memory_read(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *ret, void *argument)
{
	const struct other *other = argument;

	(void)dwfl;
	return frec__stack_read(&other->stack->stack, address, ret);
}

static bool set_registers(Dwfl_Thread *thread, void *argument)
{
	const struct other *other = argument;
	const struct frec_registers *machine =
#if defined(__x86_64__)
		&frec__registers_x86_64;
#else
		&frec__registers_aarch64;
#endif
	Dwarf_Word by_number[64] = {0}, values[FREC_DWARF_REGISTERS];
	size_t taken = 0;

	for (unsigned int i = 0; i < 64 && taken < other->stack->count; i++)
		if (other->stack->mask >> i & 1)
			by_number[i] = other->stack->values[taken++];
	for (unsigned int i = 0; i < machine->dwarf_count; i++)
		values[i] = by_number[machine->dwarf[i]];
	dwfl_thread_state_register_pc(thread, by_number[machine->pc]);
	return dwfl_thread_state_registers(thread, 0, machine->dwarf_count, values);
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
	.next_thread = next_thread,
	.get_thread = get_thread,
	.memory_read = memory_read,
	.set_initial_registers = set_registers,
};

static int find_elf(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
		    char **file, Elf **elf)
{
	return dwfl_linux_proc_find_elf(module, data, name, base, file, elf);
}

// Lets libdwfl search separate debug files for CFI that the program itself does not have, because
// our unwinder does that too.
static const Dwfl_Callbacks callbacks = {
	.find_elf = find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
};

struct other *dwfl_other_create(const struct recording *recording)
{
	struct other *other = calloc(1, sizeof(*other));
	FILE *maps = fmemopen(recording->maps_text, strlen(recording->maps_text), "r");
	Elf *elf = NULL;
	bool good;

	other->dwfl = dwfl_begin(&callbacks);
	dwfl_report_begin(other->dwfl);
	good = maps && !dwfl_linux_proc_maps_report(other->dwfl, maps);
	if (maps)
		fclose(maps);
	dwfl_report_end(other->dwfl, NULL, NULL);
	good = good && dwfl_attach_state(other->dwfl, elf, 1, &thread_callbacks, other);
	if (good)
		return other;
	fprintf(stderr, "libdwfl: %s\n", dwfl_errmsg(-1));
	dwfl_other_destroy(other);
	return NULL;
}

static int take_frame(Dwfl_Frame *frame, void *argument)
{
	struct other *other = argument;
	Dwarf_Addr pc;
	bool activation;

	if (!dwfl_frame_pc(frame, &pc, &activation))
		return DWARF_CB_ABORT;
	other->frames[other->count++] = pc;
	return other->count < other->capacity ? DWARF_CB_OK : DWARF_CB_ABORT;
}

static int take_thread(Dwfl_Thread *thread, void *argument)
{
	dwfl_thread_getframes(thread, take_frame, argument);
	return DWARF_CB_OK;
}

size_t dwfl_other_unwind(struct other *other, const struct recorded_stack *stack, uint64_t *frames,
			 size_t capacity)
{
	other->stack = stack;
	other->frames = frames;
	other->count = 0;
	other->capacity = capacity;
	dwfl_getthreads(other->dwfl, take_thread, other);
	return other->count;
}

void dwfl_other_name(struct other *other, uint64_t pc)
{
	Dwfl_Module *module = dwfl_addrmodule(other->dwfl, pc);
	Dwarf_Die *unit, *scopes = NULL;
	Dwarf_Addr bias;
	GElf_Off offset;
	GElf_Sym symbol;

	if (!module)
		return;
	dwfl_module_addrinfo(module, pc, &offset, &symbol, NULL, NULL, NULL);
	dwfl_module_getsrc(module, pc);
	unit = dwfl_module_addrdie(module, pc, &bias);
	if (unit && dwarf_getscopes(unit, pc - bias, &scopes) > 0)
		dwarf_diename(scopes);
	free(scopes);
}

const char *dwfl_other_function(struct other *other, uint64_t pc, const char **ret_module)
{
	Dwfl_Module *module = dwfl_addrmodule(other->dwfl, pc);

	*ret_module =
		module ? dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL) : NULL;
	return module ? dwfl_module_addrname(module, pc) : NULL;
}

void dwfl_other_destroy(struct other *other)
{
	if (!other)
		return;
	dwfl_end(other->dwfl);
	free(other);
}
