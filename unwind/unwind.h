/* SPDX-License-Identifier: MIT */
/*
 * Unwinding: from registers, stack bytes and mappings to frames, and from frames to names. It
 * happens long after the process has gone, on any machine that has the program files.
 *
 *	struct frec_unwinder *unwinder;			one for each file: all programs and
 *							libraries that its stacks run through
 *	struct frec_unwind_process *process;		one for each process: its mappings
 *
 *	frec__unwinder_create(frec__registers_find("x86_64"), NULL, &unwinder);
 *	frec__unwind_process_create(unwinder, maps, count, &process);
 *	count = frec__unwind(process, &registers, &stack, frames, FREC_FRAMES_MAX, &end);
 *	for (size_t i = 0; i < count; i++)
 *		frec__symbolize(process, &frames[i], &names);
 *
 * The API of the room is this header, registers.h (the register layouts of the machines) and
 * epochs.h (for how long an address keeps its meaning). All other headers are internal. The
 * functions of this header are in unwinder.c, process.c, unwind.c and symbolize.c.
 *
 * Data flows one way. Each line uses only lines above it and to its left:
 *
 *	cfi, cfi_run (DWARF's instructions)	-> row, rows (12 bytes for a range of addresses)
 *	expression -> step (all rules of a frame)
 *	elf_file -> files, debuginfod (finding a file) -> module (a file and its rows)
 *	process (mappings, and rows of addresses met before) -> unwind (frames)
 *	symbols, stubs, debug_info, debug_functions, split_unit, debugdata, demangle
 *		-> names (of a module's addresses) -> symbolize (of a frame)
 *
 * - Everything is made when it is first needed: a file is opened when an address in it is met, and
 *   a function's rows are computed when the function is met.
 * - A module is identified by its build-id. A file with another build-id is never used.
 * - Every input may be hostile: stacks, mappings and program files. Nothing crashes or hangs, and
 *   each search has a limit.
 * - Files that another user could truncate are read, not mapped.
 *
 * Nothing here runs in the recorded process or looks at a live one. No object may be used by two
 * threads at once.
 */
#ifndef FREC_UNWIND_UNWIND_H
#define FREC_UNWIND_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"
#include "unwind/memory.h"
#include "unwind/registers.h"

/* The largest number of frames that are unwound. */
#define FREC_FRAMES_MAX 1024

struct frec_unwinder;
struct frec_unwind_process;

struct frec_unwinder_options {
	size_t size; /* of this structure */
	/* Prefix of recorded paths and of /usr/lib/debug, for example where an image is mounted;
	 * NULL: none. */
	const char *root;
	/* Folders to search before /usr/lib/debug for .build-id/xx/yyyy.debug and for the program
	 * itself, .build-id/xx/yyyy; NULL: none. */
	const char *const *folders;
	size_t folder_count;
	/* The recording is from the current boot of this machine, so the vDSO, which has no file,
	 * is the one of this process. */
	bool same_boot;
	/* Fetch files that are not on this machine from the servers in DEBUGINFOD_URLS. This can
	 * wait for the network. */
	bool debuginfod;
};

/* Copies `options`; NULL: defaults. -ENOMEM; -EINVAL if their size is unknown. */
int frec__unwinder_create(const struct frec_registers *machine,
			  const struct frec_unwinder_options *options, struct frec_unwinder **ret);
/* Call it after all its processes are destroyed. */
void frec__unwinder_destroy(struct frec_unwinder *unwinder);

/* An executable mapping. */
struct frec_unwind_map {
	uint64_t start, end;
	uint64_t offset;  /* in the file */
	const char *path; /* "" or "//anon" if no file is mapped; "[vdso]" */
	const uint8_t *build_id;
	size_t build_id_size; /* 0: unknown */
};

/* Copies `maps`, which may be unsorted. If two overlap, the later one in the array wins.
 * -ENOMEM. */
int frec__unwind_process_create(struct frec_unwinder *unwinder, const struct frec_unwind_map *maps,
				size_t count, struct frec_unwind_process **ret);
void frec__unwind_process_destroy(struct frec_unwind_process *process);

/* Registers as in PERF_SAMPLE_REGS_USER. */
struct frec_unwind_registers {
	uint64_t mask;		/* bit n: register n of the kernel's numbering is present */
	const uint64_t *values; /* for the lowest bit first */
	size_t count;
};

/* The value of the register with the kernel's number `number`, or 0 if it is not present. */
static inline uint64_t frec__unwind_register(const struct frec_unwind_registers *registers,
					     unsigned int number)
{
	uint64_t bit = UINT64_C(1) << number;
	size_t index = (size_t)__builtin_popcountll(registers->mask & (bit - 1));

	return registers->mask & bit && index < registers->count ? registers->values[index] : 0;
}

/* How a frame was found. */
enum frec_frame_kind {
	FREC_FRAME_TOP,		  /* pc is the recorded register */
	FREC_FRAME_CFI,		  /* by call frame information: certain if the stack is intact */
	FREC_FRAME_FRAME_POINTER, /* by the frame pointer, as in code made at run time: likely */
	/* the pc of the frame above is no code, and this is the return address at the top of the
	 * stack */
	FREC_FRAME_RETURN,
};

#define FREC_FRAME_NO_MAP UINT32_MAX

struct frec_frame {
	uint64_t pc;  /* of a caller: the return address */
	uint32_t map; /* index into the maps of the process, or FREC_FRAME_NO_MAP */
	uint8_t kind; /* enum frec_frame_kind */
	/* the instruction at pc was running or about to run (at the top of the stack, and where a
	 * signal interrupted); false: the instruction before pc is the call */
	bool exact;
	bool signal; /* the code that a signal handler returns to */
};

enum frec_unwind_reason {
	FREC_UNWIND_COMPLETE,  /* the outermost frame was reached */
	FREC_UNWIND_TRUNCATED, /* the stack continues at `address`, beyond the recorded bytes */
	FREC_UNWIND_NO_CFI,    /* nothing describes the caller of the code at `address` */
	/* a register points to `address`, which is no part of the stack: below it, or far away */
	FREC_UNWIND_BAD_MEMORY,
	FREC_UNWIND_BAD_CFI,	  /* the call frame information for `address` is damaged */
	FREC_UNWIND_NO_REGISTERS, /* pc or stack pointer were not recorded */
	FREC_UNWIND_LOOP,	  /* the frame at `address` is its own caller */
	FREC_UNWIND_LIMIT,	  /* there are more frames than the array has room for */
};

/* Why a stack ends. */
struct frec_unwind_end {
	enum frec_unwind_reason reason;
	uint64_t address;
	struct frec_error error; /* of BAD_CFI: module, section, offset; otherwise its code is 0 */
};

/*
 * Unwinds one stack. Fills `frames`, innermost first, and returns how many there are: 0 only if pc
 * or stack pointer are missing. Allocates memory only when it meets code for the first time.
 */
size_t frec__unwind(struct frec_unwind_process *process,
		    const struct frec_unwind_registers *registers, const struct frec_stack *stack,
		    struct frec_frame *frames, size_t capacity, struct frec_unwind_end *ret);

/* The reason in words: "complete", "no call frame information at 0x55d0c0ffee00". Returns
 * `buffer`. */
const char *frec__unwind_end_words(const struct frec_unwind_end *end, char *buffer, size_t size);

/* A function at the address of a frame. A frame has several if calls were inlined there. */
struct frec_name {
	const char *function;	   /* demangled; NULL: unknown */
	const char *file;	   /* as the compiler recorded it; NULL: unknown */
	unsigned int line, column; /* 0: unknown */
	bool inlined;		   /* into the next one */
};

struct frec_names {
	const struct frec_name *names; /* innermost first; the last one is not inlined */
	size_t count;		       /* 0: no name is known */
	uint64_t offset;    /* of pc from the start of the last function; UINT64_MAX: unknown */
	const char *module; /* path of the mapped file, or NULL; lives as long as the process */
	uint32_t map;	    /* index into the maps of the process, or FREC_FRAME_NO_MAP */
	uint64_t address;   /* of pc in that file; without a file, pc */
	bool verified;	    /* the build-id proves that the file is the one that ran */
	const struct frec_error *missing; /* why names may be missing; NULL: the file is there */
};

/*
 * Finds the names of a frame of this process. What `ret` points to, except `module`, belongs to the
 * unwinder and lives as long as it does. Each address is looked up only once. -ENOMEM.
 */
int frec__symbolize(struct frec_unwind_process *process, const struct frec_frame *frame,
		    struct frec_names *ret);

#endif
