/* SPDX-License-Identifier: MIT */
/*
 * From registers, stack bytes and mappings to frames, and from frames to names, long after the
 * process has gone.
 *
 *	struct frec_unwinder *unwinder;			one for a file: programs, libraries and
 *							their tables
 *	struct frec_unwind_process *process;		one for each process: its mappings
 *
 *	frec__unwinder_create(frec__registers_find("x86_64"), NULL, &unwinder);
 *	frec__unwind_process_create(unwinder, maps, count, &process);
 *	count = frec__unwind(process, &registers, &stack, frames, FREC_FRAMES_MAX, &end);
 *	for (size_t i = 0; i < count; i++)
 *		frec__symbolize(process, &frames[i], &names);
 *
 * None of it runs in the process that was recorded or looks at one; nothing may be used from two
 * threads at once. Every input may be hostile. Programs are opened when the first address in them
 * is met.
 */
#ifndef FREC_UNWIND_UNWIND_H
#define FREC_UNWIND_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"
#include "unwind/memory.h"
#include "unwind/registers.h"

/* No stack is unwound further. */
#define FREC_FRAMES_MAX 1024

struct frec_unwinder;
struct frec_unwind_process;

struct frec_unwinder_options {
	size_t size; /* of this structure */
	/* Put before recorded paths and the folders of debug files, as of a mounted image; NULL:
	 * nothing. */
	const char *root;
	/* Folders with .build-id/xx/yyyy.debug and .build-id/xx/yyyy (the program itself) below,
	 * looked into before /usr/lib/debug; NULL: none. */
	const char *const *folders;
	size_t folder_count;
	/* The recording is of this boot of this machine: what has no file, the vDSO, is as it is
	 * here. */
	bool same_boot;
	/* Ask debuginfod servers for files that are not here. It reads DEBUGINFOD_URLS, asks nobody
	 * without, and can wait for the network. */
	bool debuginfod;
};

/* `options` are copied; NULL: defaults. -ENOMEM; -EINVAL: their size is not known here. */
int frec__unwinder_create(const struct frec_registers *machine,
			  const struct frec_unwinder_options *options, struct frec_unwinder **ret);
/* After all its processes. */
void frec__unwinder_destroy(struct frec_unwinder *unwinder);

/* An executable mapping. */
struct frec_unwind_map {
	uint64_t start, end;
	uint64_t offset;  /* in the file */
	const char *path; /* "" or "//anon" where it is of no file; "[vdso]" */
	const uint8_t *build_id;
	size_t build_id_size; /* 0: unknown */
};

/* `maps` are copied. They may be unsorted; where two overlap, the later in the array is right.
 * -ENOMEM. */
int frec__unwind_process_create(struct frec_unwinder *unwinder, const struct frec_unwind_map *maps,
				size_t count, struct frec_unwind_process **ret);
void frec__unwind_process_destroy(struct frec_unwind_process *process);

/* Registers as PERF_SAMPLE_REGS_USER has them: lowest bit of the mask first. */
struct frec_unwind_registers {
	uint64_t mask;
	const uint64_t *values;
	size_t count;
};

/* The value of the register that the kernel gives this number, 0 where it is not among them. */
static inline uint64_t frec__unwind_register(const struct frec_unwind_registers *registers,
					     unsigned int number)
{
	uint64_t bit = UINT64_C(1) << number;
	size_t index = (size_t)__builtin_popcountll(registers->mask & (bit - 1));

	return registers->mask & bit && index < registers->count ? registers->values[index] : 0;
}

/* How a frame was found. */
enum frec_frame_kind {
	FREC_FRAME_TOP,		  /* its pc was a register */
	FREC_FRAME_CFI,		  /* by call frame information: certain, if the stack is sound */
	FREC_FRAME_FRAME_POINTER, /* by the frame pointer, as for code made at run time: likely */
	/* the pc above it led nowhere; this was the return address at the top of the stack */
	FREC_FRAME_RETURN,
};

#define FREC_FRAME_NO_MAP UINT32_MAX

struct frec_frame {
	uint64_t pc; /* of a caller: the address it would have returned to */
	uint32_t
		/* index into the array given to frec__unwind_process_create, or
		 * FREC_FRAME_NO_MAP */
		map;
	uint8_t kind; /* enum frec_frame_kind */
	/* the instruction at pc itself was running (top of the stack, or interrupted by a
	 * signal), or would have been next; otherwise the one before */
	bool exact;
	bool signal; /* this is the code that a signal handler returns to */
};

enum frec_unwind_reason {
	FREC_UNWIND_COMPLETE,  /* the outermost frame was reached */
	FREC_UNWIND_TRUNCATED, /* the stack goes on where no bytes were recorded: at `address` */
	FREC_UNWIND_NO_CFI,    /* nothing tells how to go on from the code at `address` */
	/* a register led to `address`, which is no part of the stack: below it, or nowhere near */
	FREC_UNWIND_BAD_MEMORY,
	FREC_UNWIND_BAD_CFI,	  /* the call frame information for `address` is damaged */
	FREC_UNWIND_NO_REGISTERS, /* pc or stack pointer were not recorded */
	FREC_UNWIND_LOOP,	  /* the frame at `address` is its own caller */
	FREC_UNWIND_LIMIT,	  /* more frames than there is room for */
};

/* Why a stack ends where it does. */
struct frec_unwind_end {
	enum frec_unwind_reason reason;
	uint64_t address;
	struct frec_error error; /* of BAD_CFI: module, section, offset; else code is 0 */
};

/*
 * Unwinds one stack. Fills `frames`, the innermost first, and returns how many: 0 only where there
 * are no registers. Allocates only where code is met for the first time.
 */
size_t frec__unwind(struct frec_unwind_process *process,
		    const struct frec_unwind_registers *registers, const struct frec_stack *stack,
		    struct frec_frame *frames, size_t capacity, struct frec_unwind_end *ret);

/* The reason in words: "complete", "no call frame information at 0x55d0c0ffee00". Returns
 * `buffer`. */
const char *frec__unwind_end_words(const struct frec_unwind_end *end, char *buffer, size_t size);

/* One function at a frame's address. Calls that were inlined have several. */
struct frec_name {
	const char *function;	   /* demangled; NULL: unknown */
	const char *file;	   /* as the compiler was given it; NULL: unknown */
	unsigned int line, column; /* 0: unknown */
	bool inlined;		   /* into the next one */
};

struct frec_names {
	const struct frec_name *names; /* the innermost first; the last one is not inlined */
	size_t count;		       /* 0: no name is known */
	uint64_t offset;    /* of pc from the start of the last one; UINT64_MAX: unknown */
	const char *module; /* path of the mapped file, NULL: none; lives as long as the process */
	/* index into the array given to frec__unwind_process_create, or FREC_FRAME_NO_MAP */
	uint32_t map;
	uint64_t address; /* of pc in that file; without a file, pc */
	bool verified;	  /* the file is known to be the one that ran: by its build-id */
	/* why there are no better names, or NULL: the file is there */
	const struct frec_error *missing;
};

/*
 * The names of a frame of this process. What `ret` points to belongs to the unwinder and lives as
 * long as that, but for `module`. Each address is looked up once. -ENOMEM.
 */
int frec__symbolize(struct frec_unwind_process *process, const struct frec_frame *frame,
		    struct frec_names *ret);

#endif
