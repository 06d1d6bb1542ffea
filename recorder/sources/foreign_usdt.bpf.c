// SPDX-License-Identifier: MIT OR GPL-2.0-only
// Records USDT probes of unmodified programs: their arguments as numbers, or as the texts that they
// point to. Runs in the kernel, in the thread that hit the probe. The breakpoint's cookie
// identifies the site.
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "recorder/sources/foreign_text.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, int);
	__type(value, struct frec_usdt_slot);
	__uint(max_entries, 1);
} slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, int);
	__type(value, struct frec_usdt_site);
	__uint(max_entries, 1);
} sites SEC(".maps");

// Set when every source is open on every CPU. The probes are attached before that, to find out
// which of them can be attached.
volatile int frec_on;

// These functions are not static, so that the verifier checks them once, not for each argument and
// each path that leads to them.
__noinline int write_text(struct frec_bpf_buffer *buffer, __u32 at, __u32 room, __u64 text)
{
	return buffer ? frec_write_text(buffer, at, room, (const void *)text, 1) : 0;
}

__noinline int write_counted(struct frec_bpf_buffer *buffer, __u32 at, __u32 room, __u64 text,
			     __u64 length)
{
	return buffer ? frec_write_counted(buffer, at, room, (const void *)text, length) : 0;
}

// The registers of a thread at a site.
struct registers {
	__u64 word[FREC_USDT_REGISTER_WORDS];
	__u64 site; // its address
};

static __always_inline void read_registers(struct registers *registers, struct pt_regs *context)
{
	__builtin_memset(registers, 0, sizeof(*registers));
	bpf_probe_read_kernel(registers->word, sizeof(registers->word), context);
	registers->site = PT_REGS_IP(context);
}

static __always_inline __u64 find_register(const struct registers *registers, __u8 word)
{
	return word < FREC_USDT_REGISTER_WORDS ? registers->word[word] : 0;
}

// Reads the number of argument `n` at a site: see usdt_place.h. Returns 0, or -1 if it has none.
__noinline int read_number(struct registers *registers, struct frec_usdt_site *site, __u32 n,
			   __u64 *ret)
{
	const struct frec_usdt_place *place;
	__u64 index;

	if (!registers || !site || !ret || n >= FREC_USDT_ARGUMENTS_MAX)
		return -1;
	place = &site->place[n];
	// Another site of the same probe may have more arguments than this one.
	if (n >= site->places || !(place->flags & FREC_USDT_READABLE))
		return -1;
	index = find_register(registers, place->index);
	if (place->flags & FREC_USDT_INDEX_SIGNED)
		index = (__s64)(__s32)index;
	if (place->flags & FREC_USDT_INDEX_UNSIGNED)
		index = (__u32)index;
	*ret = place->add + find_register(registers, place->base) + (index << (place->scale & 7));
	if (place->flags & FREC_USDT_FROM_SITE)
		*ret += registers->site;
	return 0;
}

// Cuts a number to `size` bytes.
static __always_inline __u64 cut(__u64 value, __u8 size, bool is_signed)
{
	__u32 unused = (64 - 8 * size) & 63;

	value <<= unused;
	return is_signed ? (__u64)((__s64)value >> unused) : value >> unused;
}

// Reads argument `n`, which `number` belongs to. Returns 0, or -1 if it is not in memory.
__noinline int read_value(struct frec_usdt_site *site, __u32 n, __u64 number, __u64 *ret)
{
	const struct frec_usdt_place *place;
	__u64 value = number;

	if (!site || !ret || n >= FREC_USDT_ARGUMENTS_MAX)
		return -1;
	place = &site->place[n];
	if (place->flags & FREC_USDT_MEMORY) {
		const void *address = (const void *)number;

		value = 0;
		if (bpf_probe_read_user(&value, sizeof(value), address) &&
		    (place->size > 4 || bpf_probe_read_user(&value, place->size & 7, address)))
			return -1;
	}
	if (place->flags & FREC_USDT_SECOND_BYTE)
		value >>= 8;
	*ret = cut(value, place->size, place->flags & FREC_USDT_SIGNED);
	return 0;
}

// What is known about the arguments while a record is assembled, behind the record. It is in memory
// because the verifier does not track what is there: it would take each combination of arguments
// without a value for a path of its own.
struct arguments {
	__u64 number[FREC_USDT_ARGUMENTS_MAX];
	__u8 absent[FREC_USDT_ARGUMENTS_MAX]; // 1 if the argument has no value
};

// Writes the text of argument `n` at offset `at` of the record. Returns its size; 0 if it has no
// value.
static __always_inline __u32 write_text_of(struct frec_bpf_buffer *buffer,
					   const struct arguments *known,
					   const struct frec_usdt_slot *config, __u32 n, __u32 at)
{
	__u32 length = config->length[n];

	if (known->absent[n])
		return 0;
	if (length >= FREC_USDT_ARGUMENTS_MAX)
		return write_text(buffer, at, config->text_size, known->number[n]);
	// No text is longer than half of the numbers: this one is negative.
	if (known->absent[length] || (__s64)known->number[length] < 0)
		return 0;
	return write_counted(buffer, at, config->text_size, known->number[n],
			     known->number[length]);
}

SEC("uprobe")
int foreign_usdt(struct pt_regs *context)
{
	__u32 number = (__u32)bpf_get_attach_cookie(context);
	struct frec_usdt_site *site = bpf_map_lookup_elem(&sites, &number);
	__u32 slot = site ? site->slot : 0;
	const struct frec_usdt_slot *config = bpf_map_lookup_elem(&slots, &slot);
	struct frec_bpf_counts *count = frec_counts_of(slot);
	struct frec_bpf_buffer *buffer;
	struct registers registers;
	struct arguments *known;
	__u32 arguments, at;
	__u64 absent = 0;

	if (!frec_on || !site || !config || !count)
		return 0;
	arguments = config->arguments;
	if (arguments > FREC_USDT_ARGUMENTS_MAX)
		return 0;
	buffer = frec_record_begin(count);
	if (!buffer)
		return 0;
	known = (void *)(buffer->data + FREC_BPF_RECORD_MAX);
	read_registers(&registers, context);
	for (__u32 i = 0; i < FREC_USDT_ARGUMENTS_MAX; i++) {
		__u64 value = 0;
		int r;

		if (i >= arguments)
			break;
		r = read_number(&registers, site, i, &value);
		if (!r)
			r = read_value(site, i, value, &value);
		known->absent[i] = r & 1;
		known->number[i] = value;
		*(__u64 *)(buffer->data + FREC_FOREIGN_ARGUMENT_OFFSET(i)) = value;
	}
	at = FREC_USDT_TEXTS_OFFSET(arguments);
	for (__u32 i = 0; i < FREC_USDT_ARGUMENTS_MAX; i++) {
		__u32 size;

		if (i >= arguments)
			break;
		if (!(config->texts & 1u << i))
			continue;
		size = write_text_of(buffer, known, config, i, at);
		known->absent[i] |= !size;
		*(__u64 *)(buffer->data + FREC_FOREIGN_ARGUMENT_OFFSET(i)) =
			frec_text_word(i, at, size);
		at += size;
	}
	for (__u32 i = 0; i < FREC_USDT_ARGUMENTS_MAX; i++)
		absent |= (__u64)(known->absent[i] & 1) << i;
	absent &= (1ull << arguments) - 1;
	*(__u64 *)(buffer->data + FREC_USDT_ABSENT_OFFSET(arguments)) = absent;
	if (at > FREC_BPF_RECORD_MAX)
		at = FREC_BPF_RECORD_MAX;
	frec_output(context, slot, count, buffer->data, at);
	frec_buffer_release(buffer);
	return 0;
}

// foreign_touch brings into memory what foreign_usdt is about to read: arguments that are not on
// the stack, and texts. It may sleep, so it cannot write records itself. It is attached last,
// because the kernel runs the program that was attached last before the others. If it ran later,
// the record would say that the text is not in memory, or the argument would have no value.

static __always_inline void bring_in(const void *address)
{
	char byte;

	bpf_copy_from_user(&byte, 1, address);
}

// `length` is at most FREC_FOREIGN_TEXT_MAX; a text that ends in a NUL may be shorter.
static __always_inline void bring_in_text(const void *text, __u32 length, bool counted)
{
	struct frec_bpf_buffer *buffer = frec_buffer_acquire();
	const void *second = (const void *)(((unsigned long)text | (PAGE - 1)) + 1);
	long failed = -1;

	if (buffer) {
		failed = counted ? bpf_probe_read_user(buffer->data, length, text)
				 : bpf_probe_read_user_str(buffer->data, length, text);
		frec_buffer_release(buffer);
	}
	if (failed >= 0)
		return;
	bring_in(text);
	if (text + length > second)
		bring_in(second);
}

// Reads argument `n` at a site, and brings it in first. Returns 0, or -1 if it has no value.
static __always_inline int fetch_argument(struct registers *registers, struct frec_usdt_site *site,
					  __u32 n, __u64 *ret)
{
	__u64 number = 0;

	if (read_number(registers, site, n, &number))
		return -1;
	if (!read_value(site, n, number, ret))
		return 0;
	bring_in((const void *)number);
	return read_value(site, n, number, ret);
}

SEC("uprobe.s")
int foreign_touch(struct pt_regs *context)
{
	__u32 number = (__u32)bpf_get_attach_cookie(context);
	struct frec_usdt_site *site = bpf_map_lookup_elem(&sites, &number);
	__u32 slot = site ? site->slot : 0;
	const struct frec_usdt_slot *config = bpf_map_lookup_elem(&slots, &slot);

	struct registers registers;

	if (!frec_on || !site || !config)
		return 0;
	read_registers(&registers, context);
	for (__u32 i = 0; i < FREC_USDT_ARGUMENTS_MAX; i++) {
		__u64 text = 0, bytes = FREC_FOREIGN_TEXT_MAX;
		__u32 length = config->length[i];
		bool counted = length < FREC_USDT_ARGUMENTS_MAX;

		if (i >= config->arguments)
			break;
		if (fetch_argument(&registers, site, i, &text) || !text ||
		    !(config->texts & 1u << i) ||
		    (counted && fetch_argument(&registers, site, length, &bytes)))
			continue;
		if (bytes > FREC_FOREIGN_TEXT_MAX)
			bytes = FREC_FOREIGN_TEXT_MAX;
		bring_in_text((const void *)text, (__u32)bytes, counted);
	}
	return 0;
}
