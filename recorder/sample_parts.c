// SPDX-License-Identifier: MIT
// Taking a sample apart: its parts follow each other in the order of perf_event_open(2), each there or not as sample_type
// says. Services write such records too, so none of the sizes in them is believed.
#include "recorder/sample_parts.h"

#include <errno.h>
#include <string.h>

struct walk {
	const uint8_t *at, *end;
	bool failed;
};

// The next `size` bytes; NULL, and `failed`, where there are not so many.
static const uint8_t *take(struct walk *walk, uint64_t size)
{
	const uint8_t *taken = walk->at;

	if (walk->failed || size > (uint64_t)(walk->end - walk->at)) {
		walk->failed = true;
		return NULL;
	}
	walk->at += size;
	return taken;
}

static uint64_t take_u64(struct walk *walk)
{
	const uint8_t *p = take(walk, sizeof(uint64_t));
	uint64_t value = 0;

	if (p)
		memcpy(&value, p, sizeof(value));
	return value;
}

static const uint8_t *take_array(struct walk *walk, uint64_t count)
{
	walk->failed |= count > UINT16_MAX / sizeof(uint64_t); // no record is larger
	return take(walk, count * sizeof(uint64_t));
}

static void take_registers(struct walk *walk, uint64_t mask, struct frec_sample_parts *ret)
{
	const uint64_t pointer = UINT64_C(1) << frec__perf_user_stack_pointer;

	if (!take_u64(walk)) // the ABI; 0: a kernel thread, or nothing was to be had
		return;
	ret->register_mask = mask;
	ret->register_count = (size_t)__builtin_popcountll(mask);
	ret->registers = take_array(walk, ret->register_count);
	if (ret->registers && mask & pointer)
		memcpy(&ret->stack_address,
		       ret->registers + sizeof(uint64_t) *
						(size_t)__builtin_popcountll(mask & (pointer - 1)),
		       sizeof(ret->stack_address));
}

static void take_stack(struct walk *walk, struct frec_sample_parts *ret)
{
	uint64_t size = take_u64(walk), used;

	if (!size)
		return;
	ret->stack = take(walk, size);
	used = take_u64(walk);
	ret->stack_size = used < size ? used : size;
}

int frec__sample_parts(const struct frec_source *source, const struct frec_sample *sample,
		       struct frec_sample_parts *ret)
{
	const uint8_t *record = (const uint8_t *)sample, *p;
	struct walk walk = {record + offsetof(struct frec_sample, raw_size),
			    record + sample->header.size};

	*ret = (struct frec_sample_parts){0};
	if (sample->header.size < offsetof(struct frec_sample, raw_size))
		return -EBADMSG;
	if (source->sample_type & PERF_SAMPLE_PERIOD)
		take_u64(&walk);
	ret->head = (size_t)(walk.at - record);
	if (source->sample_type & PERF_SAMPLE_CALLCHAIN) {
		ret->callchain_count = take_u64(&walk);
		ret->callchain = take_array(&walk, ret->callchain_count);
	}
	p = take(&walk, sizeof(ret->raw_size));
	if (p)
		memcpy(&ret->raw_size, p, sizeof(ret->raw_size));
	ret->raw = take(&walk, ret->raw_size);
	if (source->sample_type & PERF_SAMPLE_REGS_USER)
		take_registers(&walk, source->sample_regs_user, ret);
	if (source->sample_type & PERF_SAMPLE_STACK_USER)
		take_stack(&walk, ret);
	return walk.failed ? -EBADMSG : 0;
}
