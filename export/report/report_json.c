// SPDX-License-Identifier: MIT
// Writes the report as the beginning of a JSON object. show.c adds "events", which are objects as
// in `-f json`, and closes the object. Times are nanoseconds of CLOCK_MONOTONIC, except "realtime",
// which counts from 1970. Unknown values are absent.
#include "export/report/report_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "export/read/clocks.h"
#include "export/read/numbers.h"
#include "export/read/records.h"
#include "export/report/crash.h"
#include "export/report/crash_address.h"
#include "export/report/pairs.h"
#include "export/report/stack_text.h"
#include "unwind/registers.h"

static void add_bytes(struct frec_text *text, const char *key, ProtobufCBinaryData value)
{
	frec__text_printf(text, ",\"%s\":", key);
	frec__text_json(text, value.data, value.len);
}

static void add_string(struct frec_text *text, const char *key, const char *value)
{
	frec__text_printf(text, ",\"%s\":", key);
	frec__text_json_puts(text, value);
}

static void add_number(struct frec_text *text, const char *key, uint64_t value)
{
	frec__text_printf(text, ",\"%s\":%" PRIu64, key, value);
}

static void add_signal(struct frec_text *text, const Flightrec__Crash *crash)
{
	bool known = crash->how_case == FLIGHTREC__CRASH__HOW_CODE;
	struct frec_text word = {0};

	frec__crash_signal(&word, crash);
	add_string(text, "signal", word.data ? word.data : "");
	frec__text_clear(&word);
	frec__crash_code(&word, crash);
	if (known)
		add_string(text, "code", word.data ? word.data : "");
	frec__text_printf(text, ",\"signal_number\":%" PRId32, crash->signal);
	if (known)
		frec__text_printf(text, ",\"code_number\":%" PRId32, crash->code);
	if (frec__crash_code_words(crash))
		add_string(text, "reason", frec__crash_code_words(crash));
	text->failed |= word.failed;
	frec__text_free(&word);
}

static void add_registers(struct frec_text *text, const struct frec_snapshot *snapshot)
{
	const Flightrec__Registers *registers = snapshot->crash->registers;
	const struct frec_registers *layout = frec__registers_find(snapshot->header->machine);
	size_t done = 0;

	frec__text_puts(text, ",\"registers\":{");
	for (unsigned int i = 0; i < 64 && done < registers->n_value; i++) {
		char name[8];

		if (!(registers->mask >> i & 1))
			continue;
		snprintf(name, sizeof(name), "r#%u", i);
		frec__text_printf(text, "%s\"%s\":\"0x%" PRIx64 "\"", done ? "," : "",
				  layout && i < layout->count && layout->names[i] ? layout->names[i]
										  : name,
				  registers->value[done]);
		done++;
	}
	frec__text_puts(text, "}");
}

// Adds the frames of the stack, if it is known, and why it ends.
static void add_frames(struct frec_text *text, const struct frec_stacks *stacks,
		       const struct frec_call_stack *stack)
{
	const struct frec_unwind_end *end = frec__stacks_end(stacks);
	char words[320];

	if (!stack)
		return;
	frec__text_puts(text, ",\n\"frames\":");
	frec__stack_json(text, stacks, stack);
	add_string(text, "frames_end", frec__stack_end_word(stack->end));
	if ((end->reason == FREC_UNWIND_TRUNCATED || end->reason == FREC_UNWIND_BAD_MEMORY) &&
	    end->address)
		frec__text_printf(text, ",\"missing_address\":\"0x%" PRIx64 "\"", end->address);
	add_string(text, "frames_end_words", frec__unwind_end_words(end, words, sizeof(words)));
}

static void add_threads(struct frec_text *text, const struct frec_snapshot *snapshot,
			struct frec_stacks *stacks)
{
	frec__text_puts(text, ",\n\"threads\":[");
	for (size_t i = 0; i < snapshot->thread_stack_count; i++) {
		const Flightrec__ThreadStack *thread = snapshot->thread_stacks[i];

		frec__text_printf(text, "%s{\"pid\":%" PRIu32, i ? ",\n" : "", thread->pid);
		add_number(text, "tid", thread->tid);
		add_bytes(text, "thread", thread->name);
		add_frames(text, stacks, frec__stacks_of_thread(stacks, thread));
		frec__text_puts(text, "}");
	}
	frec__text_puts(text, "]");
}

static void add_address(struct frec_text *text, const struct frec_snapshot *snapshot)
{
	struct frec_text words = {0};

	frec__text_printf(text, ",\"address\":\"0x%" PRIx64 "\"", snapshot->crash->address);
	frec__crash_address_words(&words, snapshot);
	if (words.size)
		add_string(text, "address_words", words.data);
	text->failed |= words.failed;
	frec__text_free(&words);
}

static void add_pieces(struct frec_text *text, const Flightrec__Crash *crash)
{
	frec__text_puts(text, ",\"other_stacks\":[");
	for (size_t i = 0; i < crash->n_other_stack; i++)
		frec__text_printf(text, "%s{\"address\":\"0x%" PRIx64 "\",\"size\":%zu}",
				  i ? "," : "", crash->other_stack[i]->address,
				  crash->other_stack[i]->data.len);
	frec__text_puts(text, "]");
}

static void add_crash(struct frec_text *text, const struct frec_snapshot *snapshot,
		      struct frec_stacks *stacks)
{
	const Flightrec__Crash *crash = snapshot->crash;
	struct frec_text headline = {0};

	frec__crash_headline(&headline, crash);
	add_string(text, "headline", headline.data ? headline.data : "");
	text->failed |= headline.failed;
	frec__text_free(&headline);
	frec__text_printf(text, ",\n\"crash\":{\"pid\":%" PRIu32, crash->pid);
	if (crash->tid) {
		add_number(text, "tid", crash->tid);
		add_bytes(text, "thread", crash->thread_name);
	}
	add_bytes(text, "process", crash->process_name);
	frec__text_puts(text, ",\"cmdline\":[");
	for (size_t i = 0; i < crash->n_cmdline; i++) {
		frec__text_puts(text, i ? "," : "");
		frec__text_json(text, crash->cmdline[i].data, crash->cmdline[i].len);
	}
	frec__text_puts(text, "]");
	if (crash->signal)
		add_signal(text, crash);
	else if (crash->end_case == FLIGHTREC__CRASH__END_EXIT_STATUS)
		frec__text_printf(text, ",\"exit_status\":%" PRId32, crash->exit_status);
	if (crash->fault_case == FLIGHTREC__CRASH__FAULT_ADDRESS)
		add_address(text, snapshot);
	if (crash->sender_pid) {
		add_number(text, "sender_pid", crash->sender_pid);
		add_bytes(text, "sender", crash->sender_name);
	}
	if (crash->registers)
		add_registers(text, snapshot);
	if (crash->stack)
		frec__text_printf(text, ",\"stack\":{\"address\":\"0x%" PRIx64 "\",\"size\":%zu}",
				  crash->stack->address, crash->stack->data.len);
	if (crash->n_other_stack)
		add_pieces(text, crash);
	if (stacks)
		add_frames(text, stacks, frec__stacks_of_crash(stacks));
	if (crash->stacks_missing)
		add_number(text, "stacks_missing", crash->stacks_missing);
	add_number(text, "time", crash->time);
	if (snapshot->clocks_count)
		add_number(text, "realtime", frec__snapshot_realtime(snapshot, crash->time));
	frec__text_puts(text, "}");
}

static void add_transports(struct frec_text *text, const struct frec_snapshot *snapshot)
{
	const char *comma = "";

	frec__text_puts(text, ",\n\"transports\":[");
	for (Flightrec__Transport i = FLIGHTREC__TRANSPORT__TRANSPORT_USER_EVENTS;
	     i <= FLIGHTREC__TRANSPORT__TRANSPORT_SHM; i++) {
		if (!frec__transport_sources(snapshot, i))
			continue;
		frec__text_printf(text, "%s\"%s\"", comma, frec__transport_name(i));
		comma = ",";
	}
	frec__text_printf(text, "],\"kernel_watched\":%s",
			  frec__kernel_watched(snapshot) ? "true" : "false");
}

static void add_trigger(struct frec_text *text, const struct frec_snapshot *snapshot)
{
	const Flightrec__Trigger *trigger = snapshot->trigger;

	frec__text_puts(text, ",\n\"trigger\":{\"kind\":");
	frec__text_json_puts(text, frec__trigger_kind(trigger));
	if (*trigger->name)
		add_string(text, "name", trigger->name);
	add_number(text, "time", trigger->time);
	if (snapshot->clocks_count)
		add_number(text, "realtime", frec__snapshot_realtime(snapshot, trigger->time));
	add_number(text, "copied", trigger->copied);
	add_number(text, "copy_duration", trigger->copy_duration);
	if (trigger->coalesced) {
		add_number(text, "coalesced", trigger->coalesced);
		add_number(text, "coalesced_since", trigger->coalesced_since);
	}
	if (trigger->requested_by_pid) {
		const ProtobufCBinaryData *name = frec__trigger_process_name(snapshot);

		add_number(text, "requested_by_pid", trigger->requested_by_pid);
		if (name)
			add_bytes(text, "requested_by_name", *name);
		add_number(text, "requested_by_uid", trigger->requested_by_uid);
	}
	if (trigger->n_field) {
		frec__text_puts(text, ",\"fields\":");
		frec__pairs_json(text, trigger->field, trigger->n_field);
	}
	frec__text_puts(text, "}");
}

static void add_tags(struct frec_text *text, const struct frec_snapshot *snapshot)
{
	const Flightrec__Header *header = snapshot->header;
	const Flightrec__Process *process;
	size_t at = 0, shown = 0;

	if (header->n_tag) {
		frec__text_puts(text, ",\n\"tags\":");
		frec__pairs_json(text, header->tag, header->n_tag);
	}
	while (shown < FREC_TAGGED_SHOWN_MAX && (process = frec__tagged_next(snapshot, &at))) {
		frec__text_printf(text, "%s{\"pid\":%" PRIu32,
				  shown++ ? ",\n" : ",\n\"tagged_processes\":[", process->pid);
		add_bytes(text, "process", process->name);
		frec__text_puts(text, ",\"tags\":");
		frec__pairs_json(text, process->tag, process->n_tag);
		frec__text_puts(text, "}");
	}
	frec__text_puts(text, shown ? "]" : "");
}

static void add_loss(struct frec_text *text, const struct frec_loss_sum *sum)
{
	frec__text_printf(text, "\"emitted\":%" PRIu64, sum->emitted);
	add_number(text, "in_file", sum->in_file);
	add_number(text, "filtered", sum->filtered);
	add_number(text, "overwritten", sum->overwritten);
	add_number(text, "lost", sum->lost);
}

static void add_losses(struct frec_text *text, const struct frec_snapshot *snapshot)
{
	struct frec_loss_sum sum;
	bool any = false;

	frec__loss_sum(snapshot, NULL, &sum);
	frec__text_puts(text, ",\n\"loss\":{");
	add_loss(text, &sum);
	frec__text_puts(text, ",\"sources\":[");
	for (size_t i = 0; i < snapshot->source_count; i++) {
		const Flightrec__Source *source = snapshot->sources[i];

		frec__loss_sum(snapshot, source, &sum);
		if (!sum.parts)
			continue;
		frec__text_puts(text, any ? ",{" : "{");
		any = true;
		add_loss(text, &sum);
		add_string(text, "system", source->system);
		add_string(text, "name", source->name);
		frec__text_puts(text, "}");
	}
	frec__text_puts(text, "]}");
}

void frec__report_json(struct frec_text *text, const struct frec_snapshot *snapshot,
		       struct frec_stacks *stacks)
{
	const Flightrec__Header *header = snapshot->header;

	frec__text_printf(text, "{\"whole\":%s", snapshot->damage.code ? "false" : "true");
	if (snapshot->damage.code)
		add_string(text, "damage", snapshot->damage.message);
	add_string(text, "writer", header->writer);
	add_string(text, "machine", header->machine);
	if (header->host) {
		add_bytes(text, "host", header->host->hostname);
		add_string(text, "kernel", header->host->kernel_release);
		add_string(text, "boot_id", header->host->boot_id);
	}
	add_tags(text, snapshot);
	if (snapshot->crash)
		add_crash(text, snapshot, stacks);
	if (stacks && snapshot->thread_stack_count)
		add_threads(text, snapshot, stacks);
	if (snapshot->trigger)
		add_trigger(text, snapshot);
	add_transports(text, snapshot);
	frec__text_puts(text, ",\n\"coverage\":[");
	for (size_t i = 0; i < snapshot->cpu_count; i++) {
		const Flightrec__CpuCoverage *cpu = snapshot->cpus[i];

		frec__text_puts(text, i ? ",{\"cpu\":" : "{\"cpu\":");
		if (cpu->cpu == FREC_UNKNOWN)
			frec__text_puts(text, "null");
		else
			frec__text_unsigned(text, cpu->cpu);
		add_number(text, "from", cpu->from);
		add_number(text, "until", cpu->until);
		frec__text_printf(text, ",\"wrapped\":%s,\"offline\":%s",
				  cpu->wrapped ? "true" : "false", cpu->offline ? "true" : "false");
		if (cpu->transport == FLIGHTREC__TRANSPORT__TRANSPORT_SHM)
			frec__text_printf(text, ",\"transport\":\"shm\",\"damaged\":%" PRIu64,
					  cpu->damaged);
		frec__text_puts(text, "}");
	}
	frec__text_puts(text, "]");
	add_losses(text, snapshot);
}
