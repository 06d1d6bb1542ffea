// SPDX-License-Identifier: MIT
// Finds the module of a frame, the address in the module's file, and the names there.
#include <errno.h>

#include "unwind/names.h"
#include "unwind/process.h"

int frec__symbolize(struct frec_unwind_process *process, const struct frec_frame *frame,
		    struct frec_names *ret)
{
	// The byte before a return address is part of the call, so the line and the inlined
	// functions are looked up there. The code that a signal handler returns to follows no call,
	// so there they are looked up at the first instruction.
	uint64_t pc = frame->pc - !(frame->exact || frame->signal), start;
	struct frec_unwind_mapping *mapping = frec__process_mapping(process, pc);
	struct frec_module *module = mapping ? mapping->module : NULL;
	struct frec_names names = {
		.offset = UINT64_MAX, .address = frame->pc, .map = FREC_FRAME_NO_MAP};

	if (mapping)
		names.map = mapping->index;
	if (mapping && *mapping->map.path)
		names.module = mapping->map.path;
	if (module) {
		names.verified = module->verified;
		if (module->error.code)
			names.missing = &module->error;
		// Without the file, the best that can be said is where in the file it is.
		names.address = frame->pc - mapping->start + mapping->map.offset;
		if (mapping->has_bias) {
			names.address = frame->pc - mapping->bias;
			if (frec__names_find(module, pc - mapping->bias, &names, &start))
				return -ENOMEM;
			if (names.count && start != UINT64_MAX)
				names.offset = names.address - start;
		}
	}
	*ret = names;
	return 0;
}
