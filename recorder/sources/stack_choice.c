// SPDX-License-Identifier: MIT
// Parses a choice of stacks, and sets up perf events for it.
#include "recorder/sources/stack_choice.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "recorder/rings/registers.h"

// The maximum number of frames in a callchain (the kernel's PERF_MAX_STACK_DEPTH), and of the
// markers that the kernel puts between its own frames and those of the process.
#define CALLCHAIN_MAX 127
#define CALLCHAIN_CONTEXTS_MAX 8

int frec__stack_parse_bytes(const char *text, uint32_t *ret)
{
	char *end;
	unsigned long bytes;

	// strtoul() would accept a sign and blanks too.
	if (*text < '0' || *text > '9')
		return -EINVAL;
	bytes = strtoul(text, &end, 10);
	if (*end || !bytes || bytes > FREC_STACK_BYTES_MAX)
		return -EINVAL;
	*ret = ((uint32_t)bytes + 7) & ~7u;
	return 0;
}

static int parse_kinds(struct frec_stack_choice *choice, char *kinds)
{
	bool none = false;

	for (const char *kind = strsep(&kinds, "+"); kind; kind = strsep(&kinds, "+")) {
		if (!strcmp(kind, "fp"))
			choice->frame_pointers = true;
		else if (!strcmp(kind, "self"))
			choice->self = true;
		else if (!strcmp(kind, "kernel"))
			choice->kernel = true;
		else if (!strcmp(kind, "dwarf"))
			choice->bytes = FREC_STACK_BYTES_DEFAULT;
		else if (!strcmp(kind, "none"))
			none = true;
		else
			return -EINVAL;
	}
	if (choice->self && (choice->frame_pointers || choice->kernel || choice->bytes))
		return -EINVAL;
	return none && frec__stack_any(choice) ? -EINVAL : 0;
}

int frec__stack_parse(struct frec_stack_choice *ret, char *options, const char *selection,
		      struct frec_error *reterr)
{
	struct frec_stack_choice choice = {0};
	uint32_t bytes = 0;

	for (const char *one = strsep(&options, ","); one; one = strsep(&options, ",")) {
		const char *value = strchr(one, '=');

		if (value && !strncmp(one, "stack=", 6) && !choice.is_set) {
			if (parse_kinds(&choice, (char *)value + 1))
				return frec__error(reterr, -EINVAL,
						   "-e %s: a stack is dwarf, fp, kernel, several "
						   "of these joined by '+', self, or none",
						   selection);
			choice.is_set = true;
		} else if (value && !strncmp(one, "bytes=", 6) && !bytes) {
			if (frec__stack_parse_bytes(value + 1, &bytes))
				return frec__error(reterr, -EINVAL,
						   "-e %s: bytes are a number from 8 to %u",
						   selection, FREC_STACK_BYTES_MAX);
		} else {
			return frec__error(
				reterr, -EINVAL,
				"-e %s: the options between the slashes are stack=KIND, and "
				"bytes=N with stack=dwarf, each once",
				selection);
		}
	}
	if (bytes && !choice.bytes)
		return frec__error(reterr, -EINVAL, "-e %s: bytes=%" PRIu32 " requires stack=dwarf",
				   selection, bytes);
	if (bytes)
		choice.bytes = bytes;
	*ret = choice;
	return 0;
}

static bool has_chain(const struct frec_stack_choice *choice)
{
	return choice->frame_pointers || choice->self || choice->kernel;
}

bool frec__stack_any(const struct frec_stack_choice *choice)
{
	return has_chain(choice) || choice->bytes;
}

bool frec__stack_by_service(const struct frec_stack_choice *choice)
{
	return frec__stack_any(choice) && !frec__stack_by_kernel_only(choice);
}

bool frec__stack_by_service_only(const struct frec_stack_choice *choice)
{
	return choice->self;
}

bool frec__stack_by_kernel_only(const struct frec_stack_choice *choice)
{
	return choice->kernel || choice->bytes;
}

uint64_t frec__stack_sample_type(const struct frec_stack_choice *choice)
{
	return (has_chain(choice) ? PERF_SAMPLE_CALLCHAIN : 0) |
	       (choice->bytes ? PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER : 0);
}

void frec__stack_attr(const struct frec_stack_choice *choice, struct perf_event_attr *attr)
{
	if (choice->frame_pointers || choice->kernel) {
		attr->sample_max_stack = CALLCHAIN_MAX;
		attr->exclude_callchain_user = !choice->frame_pointers;
		attr->exclude_callchain_kernel = !choice->kernel;
	}
	if (choice->bytes) {
		attr->sample_regs_user = frec__perf_user_registers;
		attr->sample_stack_user = choice->bytes;
	}
}

size_t frec__stack_size(const struct frec_stack_choice *choice)
{
	size_t size = 0;

	if (has_chain(choice))
		size += 8 * (1 + CALLCHAIN_MAX + CALLCHAIN_CONTEXTS_MAX);
	// The kernel writes a u64 with the ABI, the registers, a u64 with the size of the stack,
	// the bytes of the stack, and a u64 that says how many of these are valid.
	if (choice->bytes)
		size += 8 * (3 + (size_t)__builtin_popcountll(frec__perf_user_registers)) +
			choice->bytes;
	return size;
}

int frec__stack_check_ring(const struct frec_stack_choice *choice, uint64_t ring_size,
			   const char *whose, struct frec_error *reterr)
{
	uint64_t needed = FREC_STACKS_IN_RING * frec__stack_size(choice), fits = 4096;

	if (needed <= ring_size)
		return 0;
	while (fits < needed)
		fits *= 2;
	return frec__error(reterr, -EINVAL,
			   "%s: a ring of %" PRIu64 " KiB is too small for stacks of %" PRIu32
			   " bytes: use --ring-size %" PRIu64 "K, or fewer bytes",
			   whose, ring_size >> 10, choice->bytes, fits >> 10);
}
