// SPDX-License-Identifier: MIT
// flightrec status: prints what the running recorders are doing.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "export/read/text.h"
#include "recorder/sources/transport.h"
#include "tools/cli.h"
#include "tools/recorders.h"

// Prints a duration in the unit that people would use: "90.5 s", "3.2 h".
static void print_duration(struct frec_text *text, double seconds)
{
	if (seconds < 120)
		frec__text_printf(text, "%.1f s", seconds);
	else if (seconds < 2 * 3600)
		frec__text_printf(text, "%.0f min", seconds / 60);
	else
		frec__text_printf(text, "%.1f h", seconds / 3600);
}

static void print_list(struct frec_text *text, const ProtobufCBinaryData *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		frec__text_puts(text, " ");
		frec__text_plain(text, list[i].data, list[i].len);
	}
	frec__text_puts(text, "\n");
}

static void print_path(struct frec_text *text, const char *label, ProtobufCBinaryData path)
{
	frec__text_puts(text, label);
	if (path.len)
		frec__text_plain(text, path.data, path.len);
	else
		frec__text_puts(text, "none");
	frec__text_puts(text, "\n");
}

static const char *transport_name(Flightrec__Transport transport)
{
	return (unsigned int)transport < FREC_TRANSPORT_COUNT ? frec__transport_names[transport]
							      : "unknown";
}

static void print_stacks(struct frec_text *text, const Flightrec__Control__Recording *recording)
{
	if (recording->without_stacks > 0) {
		frec__text_puts(text, "  stacks     a full ring holds ");
		print_duration(text, recording->full_ring);
		frec__text_puts(text, ", without stacks ");
		print_duration(text, recording->without_stacks);
		frec__text_puts(text, "\n");
	}
	if (recording->stacks_missing)
		frec__text_printf(text,
				  "  stacks     %" PRIu64
				  " sources have none, as they come in by shm\n",
				  recording->stacks_missing);
}

// Prints how many triggers and deaths have no snapshot of their own.
static void print_repeats(struct frec_text *text, const Flightrec__Control__Recording *recording)
{
	if (recording->triggers_coalesced || recording->deaths_coalesced)
		frec__text_printf(text,
				  "  repeats    %" PRIu64 " triggers and %" PRIu64
				  " deaths in loops share the snapshot of a later one\n",
				  recording->triggers_coalesced, recording->deaths_coalesced);
	if (recording->deaths_missed)
		frec__text_printf(text,
				  "  missed     %" PRIu64
				  " deaths have no snapshot: too many at once\n",
				  recording->deaths_missed);
}

static void print_recording(struct frec_text *text, const Flightrec__Control__Recording *recording)
{
	frec__text_puts(text, ", recording for ");
	print_duration(text, recording->recording_for);
	frec__text_printf(
		text, "\n  rings      %" PRIu64 " of %" PRIu64 " KiB, the busiest holds the last ",
		recording->rings, recording->ring_size / 1024);
	print_duration(text, recording->history);
	frec__text_puts(text, "\n");
	print_stacks(text, recording);
	frec__text_puts(text, "  selection ");
	print_list(text, recording->selection, recording->n_selection);
	frec__text_printf(text, "  sources    %" PRIu64 ":", recording->source_count);
	print_list(text, recording->sources, recording->n_sources);
	frec__text_printf(text, "  snapshots  %" PRIu64 ", %" PRIu64 " failed\n",
			  recording->snapshots, recording->failures);
	print_repeats(text, recording);
	print_path(text, "  last       ", recording->last_path);
	print_path(text, "  folder     ", recording->folder);
	if (recording->passed_over) {
		frec__text_printf(text, "  passed     %" PRIu64 " programs, not read for events: ",
				  recording->passed_over);
		print_path(text, "the last is ", recording->last_passed_over);
	}
	frec__text_printf(text, "  events by  %s: ", transport_name(recording->transport));
	frec__text_plain(text, recording->transport_why.data, recording->transport_why.len);
	frec__text_puts(text, "\n");
	if (!recording->kernel) {
		frec__text_puts(text, "  kernel     not watched: ");
		frec__text_plain(text, recording->no_kernel.data, recording->no_kernel.len);
		frec__text_puts(text, "\n");
		return;
	}
	frec__text_printf(text, "  crashes    %s\n",
			  recording->fault_addresses
				  ? "with the faulting address"
				  : "without the faulting address ('flightrec doctor' says why)");
}

static void print_status(struct frec_text *text, const Flightrec__Control__StatusReply *status)
{
	frec__text_printf(text, "recorder %u, version ", status->pid);
	frec__text_plain(text, status->version, strlen(status->version));
	// A recorder does not describe its recording to other users.
	if (status->recording) {
		print_recording(text, status->recording);
	} else {
		frec__text_puts(text, ", of another user\n");
		print_path(text, "  last       ", status->last_path);
	}
}

static void json_bytes(struct frec_text *text, const char *key, ProtobufCBinaryData value)
{
	frec__text_printf(text, ",\"%s\":", key);
	frec__text_json(text, value.data, value.len);
}

static void json_bool(struct frec_text *text, const char *key, bool value)
{
	frec__text_printf(text, ",\"%s\":%s", key, value ? "true" : "false");
}

static void json_list(struct frec_text *text, const char *key, const ProtobufCBinaryData *list,
		      size_t count)
{
	frec__text_printf(text, ",\"%s\":[", key);
	for (size_t i = 0; i < count; i++) {
		frec__text_puts(text, i ? "," : "");
		frec__text_json(text, list[i].data, list[i].len);
	}
	frec__text_puts(text, "]");
}

static void json_repeats(struct frec_text *text, const Flightrec__Control__Recording *recording)
{
	if (recording->cooldown > 0)
		frec__text_printf(text, ",\"cooldown\":%.3f", recording->cooldown);
	if (recording->triggers_coalesced)
		frec__text_printf(text, ",\"triggers_coalesced\":%" PRIu64,
				  recording->triggers_coalesced);
	if (recording->deaths_coalesced)
		frec__text_printf(text, ",\"deaths_coalesced\":%" PRIu64,
				  recording->deaths_coalesced);
	if (recording->deaths_missed)
		frec__text_printf(text, ",\"deaths_missed\":%" PRIu64, recording->deaths_missed);
}

static void json_recording(struct frec_text *text, const Flightrec__Control__Recording *recording)
{
	json_bytes(text, "folder", recording->folder);
	frec__text_printf(text,
			  ",\"rings\":%" PRIu64 ",\"ring_size\":%" PRIu64
			  ",\"recording_for\":%.1f,\"history\":%.1f"
			  ",\"busiest_ring_written\":%" PRIu64 ",\"snapshots\":%" PRIu64
			  ",\"failures\":%" PRIu64,
			  recording->rings, recording->ring_size, recording->recording_for,
			  recording->history, recording->busiest_ring_written, recording->snapshots,
			  recording->failures);
	json_repeats(text, recording);
	if (recording->full_ring > 0)
		frec__text_printf(text, ",\"full_ring\":%.1f", recording->full_ring);
	if (recording->without_stacks > 0)
		frec__text_printf(text, ",\"without_stacks\":%.1f", recording->without_stacks);
	if (recording->passed_over) {
		frec__text_printf(text, ",\"passed_over\":%" PRIu64, recording->passed_over);
		json_bytes(text, "last_passed_over", recording->last_passed_over);
	}
	if (recording->stacks_missing)
		frec__text_printf(text, ",\"stacks_missing\":%" PRIu64, recording->stacks_missing);
	frec__text_printf(text, ",\"transport\":\"%s\"", transport_name(recording->transport));
	json_bytes(text, "transport_why", recording->transport_why);
	json_bool(text, "kernel", recording->kernel);
	if (!recording->kernel)
		json_bytes(text, "no_kernel", recording->no_kernel);
	json_bool(text, "fault_addresses", recording->fault_addresses);
	json_bytes(text, "last", recording->last_path);
	json_list(text, "selection", recording->selection, recording->n_selection);
	frec__text_printf(text, ",\"source_count\":%" PRIu64, recording->source_count);
	json_list(text, "sources", recording->sources, recording->n_sources);
	frec__text_puts(text, ",\"sources_by\":{");
	for (size_t i = 0; i < FREC_TRANSPORT_COUNT; i++)
		frec__text_printf(text, "%s\"%s\":%" PRIu64, i ? "," : "",
				  i ? frec__transport_names[i] : "kernel",
				  i < recording->n_sources_by ? recording->sources_by[i] : 0);
	frec__text_puts(text, "}");
}

static void json_status(struct frec_text *text, const Flightrec__Control__StatusReply *status)
{
	frec__text_printf(text, "{\"pid\":%u,\"version\":", status->pid);
	frec__text_json_puts(text, status->version);
	if (status->recording) {
		json_recording(text, status->recording);
	} else {
		json_bool(text, "attached", status->attached);
		json_bytes(text, "last", status->last_path);
	}
	frec__text_puts(text, "}\n");
}

static int answered(void *context, const Flightrec__Control__Reply *reply)
{
	const bool *json = context;
	struct frec_text text = {0};

	if (!reply->status)
		return frec__cli_fail("a recorder answered without its status");
	if (*json)
		json_status(&text, reply->status);
	else
		print_status(&text, reply->status);
	fputs(text.data ? text.data : "", stdout);
	frec__text_free(&text);
	return FREC_EXIT_DONE;
}

int frec_cmd_status(int argc, char **argv)
{
	struct frec_recorders which = {0};
	bool json = false;
	const struct frec_option which_options[] = FREC_RECORDERS_OPTIONS(&which);
	const struct frec_option options[] = {
		{.name = "json", .flag = &json, .help = "print one JSON object for each recorder"},
		{0}};
	const struct frec_command_line line = {
		.usage = "flightrec status [--socket SOCKET | --pid PID] [--json]",
		.about = "Shows each running recorder: for how long it has recorded, how much its "
			 "rings hold, what it records, and its last snapshot.",
		.options = {which_options, options},
	};
	int status;

	if (!frec__options_parse(&line, &argc, &argv, &status))
		return status;
	if (argc)
		return frec__cli_usage(line.usage, "%s: status takes no arguments", argv[0]);
	if (which.socket && which.pid)
		return frec__cli_usage(line.usage, "either --socket or --pid");
	return frec__recorders_ask(&which, &(struct frec_request){.kind = FREC_REQUEST_STATUS},
				   answered, &json);
}
