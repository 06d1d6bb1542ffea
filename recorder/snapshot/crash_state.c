// SPDX-License-Identifier: MIT
// Extracts the state of a crashed thread from the two records of its signal: perf's record with
// registers and stack, and the record of the BPF program.
#include "recorder/snapshot/crash_state.h"

#include <stddef.h>
#include <string.h>

#include "recorder/snapshot/sample_parts.h"

static void read_sample(const struct frec_crash_finder *finder, struct frec_crash_state *ret)
{
	struct frec_perf_sample parts;

	// The sideband's record of the signal, which raised the alert, is slightly younger than
	// this record. So the time of this record is used.
	ret->time = finder->sample->time;
	if (!frec__sample_read(finder->source, (const void *)finder->sample, &parts))
		frec__sample_state(finder->source, &parts, ret->value, &ret->registers,
				   &ret->stack);
}

// Adds a page to the pieces, which stay sorted by address. What perf has copied of it is left out.
static void add_page(struct frec_crash_state *ret, uint64_t address, const uint8_t *data)
{
	struct frec_stack *stack = &ret->stack;
	struct frec_stack_piece page = {address, data, FREC_CRASH_PAGE};
	uint64_t end = stack->address + stack->size;
	size_t at = stack->pieces;

	// perf's copy begins at the stack pointer, and the pages are those after it. So a page
	// overlaps only with its end, if at all.
	if (address >= stack->address && address < end) {
		size_t known = end - address < page.size ? (size_t)(end - address) : page.size;

		page = (struct frec_stack_piece){end, data + known, page.size - known};
	}
	while (at && ret->piece[at - 1].address > page.address)
		at--;
	if (!page.size ||
	    (at && ret->piece[at - 1].address + ret->piece[at - 1].size > page.address))
		return;
	if (at && ret->piece[at - 1].address + ret->piece[at - 1].size == page.address &&
	    ret->piece[at - 1].data + ret->piece[at - 1].size == page.data) {
		ret->piece[at - 1].size += page.size;
		return;
	}
	memmove(&ret->piece[at + 1], &ret->piece[at], (stack->pieces - at) * sizeof(page));
	ret->piece[at] = page;
	stack->pieces++;
}

// If perf has copied nothing, because the stack pointer was in a guard page, the piece that is next
// above the stack pointer becomes the first one.
static void choose_first(struct frec_stack *stack, struct frec_stack_piece *piece)
{
	size_t at = 0;

	if (stack->size || !stack->pieces)
		return;
	while (at + 1 < stack->pieces && piece[at].address + piece[at].size <= stack->address)
		at++;
	stack->address = piece[at].address;
	stack->data = piece[at].data;
	stack->size = piece[at].size;
	stack->pieces--;
	memmove(&piece[at], &piece[at + 1], (stack->pieces - at) * sizeof(*piece));
}

static void read_details(const struct frec_crash_finder *finder, struct frec_crash_state *ret)
{
	const size_t head = offsetof(struct frec_crash_record, memory);
	const size_t room = (finder->details_size - head) / FREC_CRASH_PAGE;
	struct frec_crash_record details;

	memcpy(&details, finder->details, head);
	ret->details_known = true;
	ret->code = details.code;
	ret->address = details.address;
	ret->sender_pid = details.sender_pid;
	ret->stack.piece = ret->piece;
	for (size_t i = 0; i < details.pages && i < room && i < FREC_CRASH_PAGES; i++)
		add_page(ret, details.page[i], finder->details + head + i * FREC_CRASH_PAGE);
	choose_first(&ret->stack, ret->piece);
}

void frec__crash_state(const struct frec_crash_finder *finder, struct frec_crash_state *ret)
{
	*ret = (struct frec_crash_state){0};
	if (finder->sample)
		read_sample(finder, ret);
	if (finder->details)
		read_details(finder, ret);
}
