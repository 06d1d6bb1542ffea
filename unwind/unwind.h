/* SPDX-License-Identifier: MIT */
/*
 * Unwinding: from registers, stack bytes and mappings to frames, and from frames to names. This can
 * happen long after the process has gone, on any machine that has the program files.
 *
 *	struct frec_unwinder *unwinder;			one for each recording: all programs and
 *							libraries that its stacks run through
 *	struct frec_unwind_process *process;		one for each process: its mappings
 *
 *	frec__unwinder_create(frec__registers_find("x86_64"), NULL, &unwinder);
 *	frec__unwind_process_create(unwinder, maps, count, &process);
 *	count = frec__unwind(process, &registers, &stack, frames, FREC_FRAMES_MAX, &end);
 *	for (size_t i = 0; i < count; i++)
 *		frec__symbolize(process, &frames[i], &names);
 *
 * The API of this folder is this header, registers.h (the register layouts of the machines),
 * epochs.h (for how long an address keeps its meaning) and opener.h (for a process that may not
 * open files itself). All other headers are internal. The functions of this header are in
 * unwinder.c, process.c, unwind.c and symbolize.c.
 *
 * Data flows one way. Each file gets data only from files on lines above its own, to its left, or
 * beside it between two arrows:
 *
 *	cfi, cfi_run (DWARF's instructions)	-> row, rows (12 bytes for a range of addresses)
 *	expression -> step (all rules of a frame)
 *	elf_file, debuginfod -> opener, files (finding a file) -> module (a file and its rows)
 *		-> pieces (what is kept of a file)
 *	process (mappings, and rows of addresses met before) -> unwind (frames)
 *	symbols, stubs, debug_info, debug_functions, split_unit, debugdata, demangle
 *		-> names (of a module's addresses) -> symbolize (of a frame)
 *
 * - Nothing is done before it is needed: a file is opened when an address in the file is met, and
 *   a function's rows are computed when the function is met.
 * - A module is identified by its build-id. A file with another build-id is never used.
 * - Every input may be hostile: stacks, mappings and program files. No input makes this code crash
 *   or hang, and each search has a limit.
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

/* Some bytes of a file. */
struct frec_piece {
	uint64_t offset; /* in the file */
	size_t size;
	const uint8_t *data;
};

/* What unwinding and naming need of a program or library: all of a small file, or else its headers
 * and some of its sections. */
struct frec_program {
	const char *path; /* as in the mappings */
	const uint8_t *build_id;
	size_t build_id_size; /* 0: the file has none */
	uint64_t size;	      /* of the whole file */
	const struct frec_piece *pieces;
	size_t count;
};

struct frec_unwinder_options {
	size_t size; /* of this structure */
	/* Where the root directory of the recorded machine is on this one, for example a mounted
	 * image. It is put before recorded paths and before /usr/lib/debug. NULL: nothing is put
	 * before them. */
	const char *root;
	/* Folders to search before /usr/lib/debug, for debug files (.build-id/xx/yyyy.debug) and
	 * for programs and libraries (.build-id/xx/yyyy). NULL: none. */
	const char *const *folders;
	size_t folder_count;
	/* The recording is from the current boot of this machine. The vDSO, which has no file, is
	 * then the same as that of the calling process. */
	bool same_boot;
	/* Fetch files that are not on this machine from the servers in DEBUGINFOD_URLS. Lookups
	 * can then wait for the network. */
	bool debuginfod;
	/* What the recorder kept of files, for those that are not at their paths any more. They are
	 * not copied, and must outlive the unwinder. NULL: nothing. */
	const struct frec_program *programs;
	size_t program_count;
};

/* Copies `options`; NULL means defaults. Returns 0, -ENOMEM, or -EINVAL if options->size is not the
 * size of this structure. */
int frec__unwinder_create(const struct frec_registers *machine,
			  const struct frec_unwinder_options *options, struct frec_unwinder **ret);
/* All processes of the unwinder have to be destroyed first. */
void frec__unwinder_destroy(struct frec_unwinder *unwinder);

/* An executable mapping. */
struct frec_unwind_map {
	uint64_t start, end;
	uint64_t offset;  /* in the file */
	const char *path; /* "[vdso]" for the vDSO; "" or "//anon" if no file is mapped */
	const uint8_t *build_id;
	size_t build_id_size; /* 0: unknown */
	/* a path that leads to the mapped file itself, even if that was deleted or replaced, or is
	 * in another root folder; NULL: there is none */
	const char *file;
};

/* Copies `maps`, which may be unsorted. If two overlap, the later one in the array wins. Returns 0
 * or -ENOMEM. */
int frec__unwind_process_create(struct frec_unwinder *unwinder, const struct frec_unwind_map *maps,
				size_t count, struct frec_unwind_process **ret);
void frec__unwind_process_destroy(struct frec_unwind_process *process);

/* Opens the files of all mappings, which is otherwise done when an address in them is met. */
void frec__unwind_process_open(struct frec_unwind_process *process);

/*
 * Returns what unwinding and naming need of a program that was opened, and that nobody will find at
 * its path: frec_unwind_map.file alone led to it. `*at` starts as 0, and is advanced past that
 * program. Returns 1, or 0 if there are no more, or -ENOMEM. The caller frees `ret` with
 * frec__program_deinit(); its path and build-id live as long as the unwinder.
 */
int frec__unwinder_lost_program(const struct frec_unwinder *unwinder, size_t *at,
				struct frec_program *ret);
void frec__program_deinit(struct frec_program *program);

/* The most bytes that frec__unwinder_lost_program() returns of one file. */
#define FREC_PROGRAM_KEPT_MAX (32u << 20)

/* Registers as in PERF_SAMPLE_REGS_USER. */
struct frec_unwind_registers {
	uint64_t mask;		/* bit n: register n of the kernel's numbering is present */
	const uint64_t *values; /* of the registers that are present, in the order of their bits */
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
	/* the pc at the top of the stack is not in code, and this is the return address that a call
	 * through a bad pointer left on the stack or in the link register */
	FREC_FRAME_RETURN,
};

#define FREC_FRAME_NO_MAP UINT32_MAX

struct frec_frame {
	uint64_t pc;  /* of a caller: the return address */
	uint32_t map; /* index into the maps of the process, or FREC_FRAME_NO_MAP */
	uint8_t kind; /* enum frec_frame_kind */
	/* the instruction at pc was running or about to run, as at the top of the stack and where a
	 * signal interrupted; false: the instruction before pc is the call */
	bool exact;
	bool signal; /* pc is in the code that a signal handler returns to */
};

enum frec_unwind_reason {
	FREC_UNWIND_COMPLETE,  /* the outermost frame was reached */
	FREC_UNWIND_TRUNCATED, /* the stack continues at `address`, beyond the recorded bytes */
	FREC_UNWIND_NO_CFI,    /* nothing describes the caller of the code at `address` */
	/* a register points to `address`, which is no part of the stack: below it, or far above.
	 * If a register is needed whose value is unknown, `address` is where it was saved or, if
	 * that is not known either, the stack pointer */
	FREC_UNWIND_BAD_MEMORY,
	FREC_UNWIND_BAD_CFI,	  /* the call frame information for `address` is damaged */
	FREC_UNWIND_NO_REGISTERS, /* pc or stack pointer was not recorded */
	FREC_UNWIND_LOOP,	  /* the frame at `address` is its own caller */
	FREC_UNWIND_LIMIT,	  /* the array is full, or has FREC_FRAMES_MAX frames */
};

/* Why a stack ends. */
struct frec_unwind_end {
	enum frec_unwind_reason reason;
	uint64_t address;
	/* if BAD_CFI, it names the module, section and offset; otherwise its code is 0 */
	struct frec_error error;
};

/*
 * Unwinds one stack. Fills `frames`, innermost first, and returns how many there are: 0 only if pc
 * or stack pointer is missing, or `capacity` is 0. Allocates memory only when a stack leads to code
 * that no earlier stack led to.
 */
size_t frec__unwind(struct frec_unwind_process *process,
		    const struct frec_unwind_registers *registers, const struct frec_stack *stack,
		    struct frec_frame *frames, size_t capacity, struct frec_unwind_end *ret);

/* Writes the reason in words, such as "no call frame information at 0x55d0c0ffee00". Returns
 * `buffer`. */
const char *frec__unwind_end_words(const struct frec_unwind_end *end, char *buffer, size_t size);

/* A function at the address of a frame. A frame has several if calls were inlined there. */
struct frec_name {
	const char *function;	   /* demangled; NULL: unknown */
	const char *file;	   /* as the compiler recorded it; NULL: unknown */
	unsigned int line, column; /* 0: unknown */
	bool inlined;		   /* into the function that follows in the array */
};

struct frec_names {
	const struct frec_name *names; /* innermost first; the last one is not inlined */
	size_t count;		       /* 0: no name is known */
	uint64_t offset;    /* pc minus the start of the last function; UINT64_MAX: unknown */
	const char *module; /* path of the mapped file, or NULL; lives as long as the process */
	uint32_t map;	    /* index into the maps of the process, or FREC_FRAME_NO_MAP */
	/* pc as an address in that file; if the file was not found, pc's offset in the file; if no
	 * file is mapped, pc itself */
	uint64_t address;
	/* the file is known to be the one that ran, because it has the recorded build-id or, for a
	 * vDSO without a recorded build-id, because the boot is the same */
	bool verified;
	/* why names may be missing; NULL: the file is there, or no file is mapped */
	const struct frec_error *missing;
};

/*
 * Finds the names of a frame of this process. What `ret` points to, except `module`, belongs to the
 * unwinder and lives as long as the unwinder. Results are kept, so that no address is looked up
 * twice. Returns 0 or -ENOMEM.
 */
int frec__symbolize(struct frec_unwind_process *process, const struct frec_frame *frame,
		    struct frec_names *ret);

#endif
