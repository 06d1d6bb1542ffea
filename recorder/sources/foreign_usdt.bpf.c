// SPDX-License-Identifier: MIT OR GPL-2.0-only
// Records USDT probes of unmodified programs: their arguments as numbers, or as the texts that they
// point to. Runs in the kernel, in the thread that hit the probe. The probe's cookie identifies the
// source.
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/usdt.bpf.h>

#include "recorder/sources/foreign_text.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, int);
	__type(value, struct frec_usdt_slot);
	__uint(max_entries, 1);
} slots SEC(".maps");

// Set when every source is open on every CPU. The probes are attached before that, to find out
// which of them can be attached.
volatile int frec_on;

// This function is not static, so that the verifier checks it once, not for each argument and each
// path that leads to it.
__noinline int write_text(struct frec_bpf_buffer *buffer, __u32 at, __u32 room, __u64 text)
{
	return buffer ? frec_write_text(buffer, at, room, (const void *)text, 1) : 0;
}

SEC("usdt")
int foreign_usdt(struct pt_regs *context)
{
	// Cookies start at 1, because libbpf returns 0 for a probe that it does not know.
	__u32 slot = (__u32)bpf_usdt_cookie(context) - 1;
	const struct frec_usdt_slot *config = bpf_map_lookup_elem(&slots, &slot);
	struct frec_bpf_counts *count = frec_counts_of(slot);
	struct frec_bpf_buffer *buffer;
	int unreadable = 0;
	__u32 at;

	if (!frec_on || !config || !count)
		return 0;
	buffer = frec_record_begin(count);
	if (!buffer)
		return 0;
	at = FREC_FOREIGN_ARGUMENT_OFFSET(config->arguments);
	for (__u32 i = 0; i < FREC_FOREIGN_ARGUMENTS_MAX; i++) {
		long value;
		int r;

		if (i >= config->arguments)
			break;
		r = bpf_usdt_arg(context, i, &value);
		// -ENOENT: another site of the same probe has more arguments than this one.
		if (r && r != -ENOENT)
			unreadable = 1;
		if (config->texts & 1u << i) {
			__u32 size = write_text(buffer, at, config->text_size, value);

			value = frec_text_word(i, at, size);
			at += size;
		}
		*(__u64 *)(buffer->data + FREC_FOREIGN_ARGUMENT_OFFSET(i)) = value;
	}
	if (at > FREC_BPF_RECORD_MAX)
		at = FREC_BPF_RECORD_MAX;
	if (unreadable)
		__sync_fetch_and_add(&count->lost, 1);
	else
		frec_output(context, slot, count, buffer->data, at);
	frec_buffer_release(buffer);
	return 0;
}

// Brings into memory a text that the program above is about to read. foreign_touch, which calls
// this, may sleep, so it cannot write records itself. It is attached last, because the kernel runs
// the program that was attached last before the others. If it ran later, the record would only say
// that the text is not in memory.
static __always_inline void bring_in(const void *text)
{
	struct frec_bpf_buffer *buffer = frec_buffer_acquire();
	long size = -1;
	char byte;

	if (buffer) {
		size = bpf_probe_read_user_str(buffer->data, FREC_FOREIGN_TEXT_MAX, text);
		frec_buffer_release(buffer);
	}
	if (size >= 0)
		return;
	bpf_copy_from_user(&byte, 1, text);
	bpf_copy_from_user(&byte, 1, (const void *)(((unsigned long)text | (PAGE - 1)) + 1));
}

SEC("uprobe.s")
int foreign_touch(struct pt_regs *context)
{
	__u32 slot = (__u32)bpf_usdt_cookie(context) - 1;
	const struct frec_usdt_slot *config = bpf_map_lookup_elem(&slots, &slot);

	if (!frec_on || !config)
		return 0;
	for (__u32 i = 0; i < FREC_FOREIGN_ARGUMENTS_MAX; i++) {
		long value;

		if (i >= config->arguments)
			break;
		if (config->texts & 1u << i && !bpf_usdt_arg(context, i, &value) && value)
			bring_in((const void *)value);
	}
	return 0;
}
