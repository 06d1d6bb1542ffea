// SPDX-License-Identifier: MIT
// Writes the report as text: a headline, then lines that begin with what they are about.
#include "export/report/report_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "export/read/clocks.h"
#include "export/report/crash.h"
#include "export/report/crash_address.h"
#include "export/report/pairs.h"
#include "export/report/stack_text.h"
#include "proto/cleanup.h"
#include "unwind/registers.h"

static double seconds_from(uint64_t reference, uint64_t time)
{
	return (double)(int64_t)(time - reference) / 1e9;
}

static void key(struct frec_text *text, const char *name, bool colored)
{
	frec__text_printf(text, "%s%-11s%s ", colored ? "\033[1m" : "", name,
			  colored ? "\033[0m" : "");
}

static void add_time(struct frec_text *text, uint64_t realtime)
{
	time_t seconds = (time_t)(realtime / 1000000000);
	unsigned int micros = (unsigned int)(realtime % 1000000000 / 1000);
	char local[64], zone[16], utc[64];
	struct tm parts;

	if (!localtime_r(&seconds, &parts))
		return;
	strftime(local, sizeof(local), "%Y-%m-%d %H:%M:%S", &parts);
	strftime(zone, sizeof(zone), "%z", &parts);
	gmtime_r(&seconds, &parts);
	strftime(utc, sizeof(utc), "%Y-%m-%d %H:%M:%S", &parts);
	frec__text_printf(text, "%s.%06u %s (%s.%06u UTC)\n", local, micros, zone, utc, micros);
}

static void add_registers(struct frec_text *text, const struct frec_snapshot *snapshot,
			  bool colored)
{
	const Flightrec__Registers *registers = snapshot->crash->registers;
	const struct frec_registers *layout = frec__registers_find(snapshot->header->machine);
	size_t done = 0;

	key(text, "registers", colored);
	for (unsigned int i = 0; i < 64 && done < registers->n_value; i++) {
		char name[8];

		if (!(registers->mask >> i & 1))
			continue;
		snprintf(name, sizeof(name), "r#%u", i);
		if (done && done % 4 == 0)
			frec__text_printf(text, "%12s", "");
		frec__text_printf(text, "%-5s %016" PRIx64,
				  layout && i < layout->count && layout->names[i] ? layout->names[i]
										  : name,
				  registers->value[done]);
		done++;
		frec__text_puts(text, done % 4 && done < registers->n_value ? "  " : "\n");
	}
	if (!done)
		frec__text_puts(text, "none\n");
	else if (text->size && text->data[text->size - 1] != '\n')
		frec__text_puts(text, "\n"); // the mask has fewer registers than there are values
}

static void add_address(struct frec_text *text, const struct frec_snapshot *snapshot, bool colored)
{
	struct frec_text words = {0};

	key(text, "address", colored);
	frec__text_printf(text, "0x%" PRIx64, snapshot->crash->address);
	frec__crash_address_words(&words, snapshot);
	if (words.size)
		frec__text_printf(text, ": %s", words.data);
	frec__text_puts(text, "\n");
	frec__text_free(&words);
}

static void add_stack(struct frec_text *text, const struct frec_snapshot *snapshot,
		      struct frec_stacks *stacks, bool colored)
{
	const struct frec_call_stack *stack = frec__stacks_of_crash(stacks);
	const Flightrec__Stack *bytes = snapshot->crash->stack;

	if (!stack && !bytes)
		return;
	key(text, "stack", colored);
	if (stack) {
		frec__text_puts(text, "of the thread that died, innermost first\n");
		frec__stack_text(text, stacks, stack);
	} else {
		frec__text_printf(
			text, "%zu bytes from 0x%" PRIx64 ", and no mappings to unwind them by\n",
			bytes->data.len, bytes->address);
	}
}

static bool is_the_dead(const Flightrec__Crash *crash, const Flightrec__ThreadStack *thread)
{
	return crash && thread->pid == crash->pid && thread->tid == crash->tid;
}

// Threads with the same stack are listed together, so the stack of fifty waiting threads is shown
// once.
static void add_threads(struct frec_text *text, const struct frec_snapshot *snapshot,
			struct frec_stacks *stacks, bool colored)
{
	size_t count = snapshot->thread_stack_count;
	FREC_FREE bool *listed = calloc(count + 1, sizeof(*listed));

	text->failed |= !listed;
	for (size_t i = 0; listed && i < count; i++) {
		const Flightrec__ThreadStack *thread = snapshot->thread_stacks[i];
		const struct frec_call_stack *stack;
		size_t shown = 0;

		if (listed[i] || is_the_dead(snapshot->crash, thread))
			continue;
		stack = frec__stacks_of_thread(stacks, thread);
		key(text, "thread", colored);
		for (size_t k = i; k < count; k++) {
			const Flightrec__ThreadStack *other = snapshot->thread_stacks[k];

			if (listed[k] || is_the_dead(snapshot->crash, other) ||
			    frec__stacks_of_thread(stacks, other) != stack)
				continue;
			listed[k] = true;
			frec__text_puts(text, shown++ ? ", " : "");
			frec__text_plain(text, other->name.data, other->name.len);
			frec__text_printf(text, "[%" PRIu32 "]", other->tid);
		}
		if (shown > 1)
			frec__text_printf(text, ": %zu threads", shown);
		frec__text_puts(text, "\n");
		// asks for the stack again, because frec__stack_text() accepts only the one asked
		// for last
		stack = frec__stacks_of_thread(stacks, thread);
		if (stack)
			frec__stack_text(text, stacks, stack);
		else
			frec__text_puts(text, "       no stack\n");
	}
	if (snapshot->crash && snapshot->crash->stacks_missing) {
		key(text, "threads", colored);
		frec__text_printf(
			text,
			"%" PRIu32
			" more are missing: flightrec core had no time or space for them\n",
			snapshot->crash->stacks_missing);
	}
}

static void add_crash(struct frec_text *text, const struct frec_snapshot *snapshot,
		      struct frec_stacks *stacks, bool colored)
{
	const Flightrec__Crash *crash = snapshot->crash;
	const char *words = frec__crash_code_words(crash);

	key(text, "command", colored);
	frec__crash_command_line(text, crash);
	frec__text_puts(text, crash->n_cmdline ? "\n" : "unknown\n");
	if (crash->signal) {
		key(text, "signal", colored);
		frec__crash_signal(text, crash);
		frec__text_printf(text, " (%" PRId32 ")", crash->signal);
		if (crash->how_case == FLIGHTREC__CRASH__HOW_CODE) {
			frec__text_puts(text, ", ");
			frec__crash_code(text, crash);
		}
		if (words)
			frec__text_printf(text, ": %s", words);
		frec__text_puts(text, "\n");
	} else if (crash->end_case == FLIGHTREC__CRASH__END_EXIT_STATUS) {
		key(text, "exit status", colored);
		frec__text_printf(text, "%" PRId32 "\n", crash->exit_status);
	}
	if (crash->fault_case == FLIGHTREC__CRASH__FAULT_ADDRESS)
		add_address(text, snapshot, colored);
	if (crash->sender_pid) {
		key(text, "sent by", colored);
		frec__text_plain(text, crash->sender_name.data, crash->sender_name.len);
		frec__text_printf(text, "[%" PRIu32 "]\n", crash->sender_pid);
	}
	if (crash->registers)
		add_registers(text, snapshot, colored);
	add_stack(text, snapshot, stacks, colored);
	add_threads(text, snapshot, stacks, colored);
	if (crash->signal && !frec__kernel_watched(snapshot)) {
		key(text, "unknown", colored);
		frec__text_puts(text, "thread, address, registers, stack and sender: recorded "
				      "without the right to watch the kernel\n");
	}
}

static void add_transports(struct frec_text *text, const struct frec_snapshot *snapshot,
			   bool colored)
{
	const char *comma = "";

	for (Flightrec__Transport i = FLIGHTREC__TRANSPORT__TRANSPORT_USER_EVENTS;
	     i <= FLIGHTREC__TRANSPORT__TRANSPORT_SHM; i++) {
		size_t count = frec__transport_sources(snapshot, i);

		if (!count)
			continue;
		if (!*comma)
			key(text, "carried by", colored);
		frec__text_printf(text, "%s%s (%zu sources)", comma, frec__transport_name(i),
				  count);
		comma = ", ";
	}
	frec__text_puts(text, *comma ? "\n" : "");
}

// Adds how many other triggers or deaths share this file, and whether the rings still held the
// events since the first of them.
static void add_coalesced(struct frec_text *text, const struct frec_snapshot *snapshot)
{
	const Flightrec__Trigger *trigger = snapshot->trigger;
	size_t cut = 0;

	if (!trigger->coalesced)
		return;
	frec__text_printf(text, ", also for %" PRIu64 " %s in the %.3f s before",
			  trigger->coalesced,
			  snapshot->crash ? "deaths in a loop" : "triggers of this name",
			  seconds_from(trigger->coalesced_since, trigger->time));
	for (size_t i = 0; i < snapshot->cpu_count; i++)
		cut += snapshot->cpus[i]->from > trigger->coalesced_since;
	if (cut)
		frec__text_printf(text, " (%zu of %zu rings begin later than the first)", cut,
				  snapshot->cpu_count);
}

// Adds the name of the process that asked for the snapshot, if it is in the file.
static void add_requester(struct frec_text *text, const struct frec_snapshot *snapshot)
{
	const ProtobufCBinaryData *name = frec__trigger_process_name(snapshot);

	if (!name)
		return;
	frec__text_puts(text, " (");
	frec__text_plain(text, name->data, name->len);
	frec__text_puts(text, ")");
}

static void add_trigger(struct frec_text *text, const struct frec_snapshot *snapshot, bool colored)
{
	const Flightrec__Trigger *trigger = snapshot->trigger;

	key(text, "trigger", colored);
	frec__text_puts(text, frec__trigger_kind(trigger));
	if (*trigger->name) {
		frec__text_puts(text, " \"");
		frec__text_plain(text, trigger->name, strlen(trigger->name));
		frec__text_puts(text, "\"");
	}
	if (trigger->requested_by_pid) {
		frec__text_printf(text, ", asked for by process %" PRIu32,
				  trigger->requested_by_pid);
		add_requester(text, snapshot);
		frec__text_printf(text, " of user %" PRIu32, trigger->requested_by_uid);
	}
	add_coalesced(text, snapshot);
	if (trigger->copied)
		frec__text_printf(text, "; rings copied %.6f s later, in %.6f s",
				  seconds_from(trigger->time, trigger->copied),
				  (double)trigger->copy_duration / 1e9);
	frec__text_puts(text, "\n");
	if (trigger->n_field) {
		key(text, "with", colored);
		frec__pairs_text(text, trigger->field, trigger->n_field);
	}
}

static void add_coverage(struct frec_text *text, const struct frec_snapshot *snapshot,
			 uint64_t reference, bool colored)
{
	key(text, "coverage", colored);
	for (size_t i = 0; i < snapshot->cpu_count; i++) {
		const Flightrec__CpuCoverage *cpu = snapshot->cpus[i];

		// The ring for threads that cannot use a CPU's ring gets no line if no thread used
		// it.
		if (cpu->cpu == UINT32_MAX && !cpu->bytes_written)
			continue;
		frec__text_printf(text, "%*s", i ? 12 : 0, "");
		if (cpu->cpu == UINT32_MAX)
			frec__text_puts(text, "any cpu");
		else
			frec__text_printf(text, "cpu %" PRIu32, cpu->cpu);
		frec__text_printf(
			text, "%s: %.3f s, from %+.3f s to %+.3f s%s%s\n",
			cpu->transport == FLIGHTREC__TRANSPORT__TRANSPORT_SHM ? ", shm" : "",
			seconds_from(cpu->from, cpu->until), seconds_from(reference, cpu->from),
			seconds_from(reference, cpu->until),
			cpu->wrapped ? "" : " (since the start)",
			cpu->offline ? ", went offline" : "");
	}
	if (!snapshot->cpu_count)
		frec__text_puts(text, "unknown\n");
}

static void add_loss_numbers(struct frec_text *text, const struct frec_loss_sum *sum)
{
	const char *comma = "";

	if (sum->overwritten) {
		frec__text_printf(text, "%" PRIu64 " overwritten by younger ones",
				  sum->overwritten);
		comma = ", ";
	}
	if (sum->lost > sum->destroyed) {
		frec__text_printf(text, "%s%" PRIu64 " lost because the kernel had no room", comma,
				  sum->lost - sum->destroyed);
		comma = ", ";
	}
	if (sum->destroyed) {
		frec__text_printf(text, "%s%" PRIu64 " destroyed in memory that services write",
				  comma, sum->destroyed);
		comma = ", ";
	}
	if (sum->filtered)
		frec__text_printf(text, "%s%" PRIu64 " of other users left out", comma,
				  sum->filtered);
}

static void add_loss(struct frec_text *text, const struct frec_snapshot *snapshot, bool colored)
{
	struct frec_loss_sum sum;

	key(text, "loss", colored);
	frec__loss_sum(snapshot, NULL, &sum);
	if (!sum.parts) {
		frec__text_puts(text, "unknown\n");
		return;
	}
	// What others emitted is no business of the user for whom the file is, so the recorder did
	// not say what was overwritten.
	if (snapshot->header->filter_case == FLIGHTREC__HEADER__FILTER_ONLY_UID)
		frec__text_puts(text, "see coverage (this file is for one user): ");
	else if (!sum.overwritten && !sum.lost && !sum.filtered)
		frec__text_puts(text, "none: ");
	frec__text_printf(text, "%" PRIu64 " events are in this file", sum.in_file);
	if (sum.overwritten || sum.lost || sum.filtered)
		frec__text_puts(text, ", ");
	add_loss_numbers(text, &sum);
	frec__text_puts(text, "\n");
	for (size_t i = 0; i < snapshot->source_count; i++) {
		const Flightrec__Source *source = snapshot->sources[i];

		frec__loss_sum(snapshot, source, &sum);
		if (!sum.overwritten && !sum.lost && !sum.filtered)
			continue;
		frec__text_printf(text, "%12s", "");
		frec__text_plain(text, source->system, strlen(source->system));
		frec__text_puts(text, ":");
		frec__text_plain(text, source->name, strlen(source->name));
		frec__text_puts(text, ": ");
		add_loss_numbers(text, &sum);
		frec__text_puts(text, "\n");
	}
	if (snapshot->end && snapshot->end->sideband_lost)
		frec__text_printf(text,
				  "%12s%" PRIu64
				  " notes on processes were lost: names may be missing\n",
				  "", snapshot->end->sideband_lost);
}

static void add_host(struct frec_text *text, const Flightrec__Header *header, bool colored)
{
	const Flightrec__Host *host = header->host;

	key(text, "host", colored);
	if (host) {
		frec__text_plain(text, host->hostname.data, host->hostname.len);
		frec__text_puts(text, ", Linux ");
		frec__text_plain(text, host->kernel_release, strlen(host->kernel_release));
		frec__text_puts(text, ", ");
	}
	frec__text_plain(text, header->machine, strlen(header->machine));
	frec__text_puts(text, ", ");
	frec__text_plain(text, header->writer, strlen(header->writer));
	frec__text_puts(text, "\n");
}

static void add_tags(struct frec_text *text, const struct frec_snapshot *snapshot, bool colored)
{
	const Flightrec__Header *header = snapshot->header;
	const Flightrec__Process *process;
	size_t at = 0, shown = 0, more = 0;

	if (header->n_tag) {
		key(text, "tags", colored);
		frec__pairs_text(text, header->tag, header->n_tag);
	}
	while ((process = frec__tagged_next(snapshot, &at))) {
		if (shown == FREC_TAGGED_SHOWN_MAX) {
			more++;
			continue;
		}
		shown++;
		key(text, "tags of", colored);
		frec__text_plain(text, process->name.data, process->name.len);
		frec__text_printf(text, "[%" PRIu32 "]\n%12s", process->pid, "");
		frec__pairs_text(text, process->tag, process->n_tag);
	}
	if (more)
		frec__text_printf(text, "%12s%zu more processes have tags\n", "", more);
}

void frec__report_text(struct frec_text *text, const struct frec_snapshot *snapshot,
		       struct frec_stacks *stacks, uint64_t reference, bool colored)
{
	frec__text_puts(text, colored ? "\033[1;31m" : "");
	if (snapshot->crash)
		frec__crash_headline(text, snapshot->crash);
	else
		frec__text_puts(text, "a snapshot; nothing had died");
	frec__text_puts(text, colored ? "\033[0m\n\n" : "\n\n");
	if (snapshot->clocks_count) {
		key(text, "when", colored);
		add_time(text, frec__snapshot_realtime(snapshot, reference));
	}
	add_host(text, snapshot->header, colored);
	add_tags(text, snapshot, colored);
	if (snapshot->crash)
		add_crash(text, snapshot, stacks, colored);
	if (snapshot->trigger)
		add_trigger(text, snapshot, colored);
	add_transports(text, snapshot, colored);
	add_coverage(text, snapshot, reference, colored);
	add_loss(text, snapshot, colored);
}
