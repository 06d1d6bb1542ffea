// SPDX-License-Identifier: MIT
// Unwinds a copied stack with the mappings of the process table, and encodes the frames as a
// message.
#include "recorder/snapshot/unwound.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "proto/cleanup.h"
#include "recorder/processes/held_files.h"

// The file stores the unwinder's number for the reason why a stack ends, so a new reason must be
// added to both enums.
#define SAME(name) \
	_Static_assert((int)FREC_UNWIND_##name == (int)FLIGHTREC__STACK_END__STACK_END_##name, \
		       "StackEnd in flightrec.proto has another number for " #name)
SAME(COMPLETE);
SAME(TRUNCATED);
SAME(NO_CFI);
SAME(BAD_MEMORY);
SAME(BAD_CFI);
SAME(NO_REGISTERS);
SAME(LOOP);
SAME(LIMIT);

// The bits of Frames.how.
#define HOW_KIND 3
#define HOW_EXACT 4
#define HOW_SIGNAL 8

_Static_assert(FREC_FRAME_TOP == 0 && FREC_FRAME_CFI == 1 && FREC_FRAME_FRAME_POINTER == 2 &&
		       FREC_FRAME_RETURN == HOW_KIND,
	       "Frames.how in flightrec.proto has these numbers, in two bits");

int frec__unwound_open(struct frec_unwinder **ret)
{
	const struct frec_unwinder_options options = {.size = sizeof(options), .same_boot = true};
	const struct frec_registers *machine;
	struct utsname name;

	uname(&name);
	machine = frec__registers_find(name.machine);
	return machine ? frec__unwinder_create(machine, &options, ret) : -ENOTSUP;
}

int frec__unwound_process(struct frec_unwinder *unwinder, const struct frec_process *process,
			  uint64_t time, struct frec_unwind_process **ret)
{
	FREC_FREE struct frec_unwind_map *maps = calloc(process->maps + 1, sizeof(*maps));
	FREC_FREE char *paths = calloc(process->maps + 1, FREC_HELD_PATH_SIZE);
	size_t count = 0;

	if (!maps || !paths)
		return -ENOMEM;
	for (size_t i = 0; i < process->maps; i++) {
		const struct frec_mapping *map = &process->map[i];

		if (map->since > time)
			continue;
		maps[count] = (struct frec_unwind_map){.start = map->start,
						       .end = map->end,
						       .offset = map->offset,
						       .path = map->path,
						       .build_id = map->build_id,
						       .build_id_size = map->build_id_size};
		if (map->held)
			maps[count].file =
				frec__held_file_path(map->held, paths + i * FREC_HELD_PATH_SIZE);
		count++;
	}
	return frec__unwind_process_create(unwinder, maps, count, ret);
}

void frec__unwound_init(struct frec_unwound *ret, size_t count, enum frec_unwind_reason end,
			uint64_t address)
{
	flightrec__frames__init(&ret->frames);
	ret->frames.n_pc = count;
	ret->frames.pc = ret->pc;
	ret->frames.how.data = ret->how;
	ret->frames.how.len = count;
	ret->frames.end = (Flightrec__StackEnd)end;
	ret->frames.address = address;
}

void frec__unwound_encode(struct frec_unwound *ret, size_t count, const struct frec_unwind_end *end)
{
	for (size_t i = 0; i < count; i++) {
		const struct frec_frame *frame = &ret->frame[i];

		ret->pc[i] = frame->pc;
		ret->how[i] = (uint8_t)((frame->kind & HOW_KIND) | (frame->exact ? HOW_EXACT : 0) |
					(frame->signal ? HOW_SIGNAL : 0));
	}
	frec__unwound_init(ret, count, end->reason, end->address);
}

int frec__unwound_stack(struct frec_unwind_process *process,
			const struct frec_unwind_registers *registers,
			const struct frec_stack *stack, struct frec_unwound *ret)
{
	struct frec_unwind_end end = {0};
	size_t count;

	// The unwinder takes a program that it cannot read for one without tables, and the stack
	// would be another one. Nothing but malloc(3) and frec__elf_open() leaves these
	// errors.
	errno = 0;
	count = frec__unwind(process, registers, stack, ret->frame, FREC_FRAMES_MAX, &end);
	if (frec__is_shortage(errno)) {
		frec__unwound_init(ret, 0, FREC_UNWIND_LIMIT, 0);
		return -errno;
	}
	frec__unwound_encode(ret, count, &end);
	return 0;
}
