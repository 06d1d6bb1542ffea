// SPDX-License-Identifier: MIT
// flightrec status: what the running recorders are doing.
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "export/read/text.h"
#include "tools/cli.h"
#include "tools/json_scan.h"
#include "tools/recorders.h"

#define USAGE "flightrec status [--socket SOCKET | --pid PID] [--json]"

static const char help[] = "usage: " USAGE "\n\n"
			   "Tells of every recorder that runs: since when, how much its rings "
			   "hold, what it listens to, and its\n"
			   "last snapshot.\n\n"
			   "      --socket SOCKET  only the recorder that listens there\n"
			   "      --pid PID        only the recorder with this process number\n"
			   "      --json           one JSON object a recorder, for machines\n";

// "90.5 s" or "3.2 h": of what people would say.
static void put_duration(struct frec_text *text, double seconds)
{
	if (seconds < 120)
		frec__text_printf(text, "%.1f s", seconds);
	else if (seconds < 2 * 3600)
		frec__text_printf(text, "%.0f min", seconds / 60);
	else
		frec__text_printf(text, "%.1f h", seconds / 3600);
}

static void put_list(struct frec_text *text, const char *json, const char *key)
{
	const char *at = frec__json_member(json, key);
	char one[512];

	while (at && frec__json_next(&at, one, sizeof(one))) {
		frec__text_puts(text, " ");
		frec__text_plain(text, one, strlen(one));
	}
	frec__text_puts(text, "\n");
}

static void put_path(struct frec_text *text, const char *label, const char *json, const char *key)
{
	char path[PATH_MAX];

	frec__json_text(json, key, path, sizeof(path));
	frec__text_puts(text, label);
	frec__text_plain(text, *path ? path : "none", *path ? strlen(path) : 4);
	frec__text_puts(text, "\n");
}

static void put_stacks(struct frec_text *text, const char *json)
{
	if (frec__json_member(json, "without_stacks")) {
		frec__text_puts(text, "  stacks     a full ring holds ");
		put_duration(text, frec__json_number(json, "full_ring"));
		frec__text_puts(text, ", without stacks ");
		put_duration(text, frec__json_number(json, "without_stacks"));
		frec__text_puts(text, "\n");
	}
	if (frec__json_member(json, "stacks_missing"))
		frec__text_printf(text,
				  "  stacks     %.0f sources have none, as they come in by shm\n",
				  frec__json_number(json, "stacks_missing"));
}

static void put_details(struct frec_text *text, const char *json)
{
	const char *addresses = frec__json_member(json, "fault_addresses");
	char transport[32], why[512];

	frec__text_puts(text, ", recording for ");
	put_duration(text, frec__json_number(json, "recording_for"));
	frec__text_printf(text, "\n  rings      %.0f of %.0f KiB, the busiest holds the last ",
			  frec__json_number(json, "rings"),
			  frec__json_number(json, "ring_size") / 1024);
	put_duration(text, frec__json_number(json, "history"));
	frec__text_puts(text, "\n");
	put_stacks(text, json);
	frec__text_puts(text, "  selection ");
	put_list(text, json, "selection");
	frec__text_printf(text, "  sources    %.0f:", frec__json_number(json, "source_count"));
	put_list(text, json, "sources");
	frec__text_printf(text, "  snapshots  %.0f, %.0f failed\n",
			  frec__json_number(json, "snapshots"),
			  frec__json_number(json, "failures"));
	put_path(text, "  last       ", json, "last");
	put_path(text, "  folder     ", json, "folder");
	frec__json_text(json, "transport", transport, sizeof(transport));
	frec__text_puts(text, "  events by  ");
	frec__text_plain(text, transport, strlen(transport));
	frec__text_puts(text, "\n");
	frec__json_text(json, "no_kernel", why, sizeof(why));
	if (*why) {
		frec__text_puts(text, "  kernel     not watched: ");
		frec__text_plain(text, why, strlen(why));
		frec__text_puts(text, "\n");
		return;
	}
	frec__text_printf(text, "  crashes    %s\n",
			  addresses && !strncmp(addresses, "true", 4)
				  ? "with the faulting address"
				  : "without the faulting address ('flightrec doctor' says why)");
}

static int answered(void *context, const char *socket, bool ok, const char *answer)
{
	const bool *json = context;
	struct frec_text text = {0};
	char version[64];

	if (!answer)
		return frec__cli_fail("%s: the recorder went away before it answered", socket);
	if (!ok)
		return frec__cli_fail("%s: %s", socket, answer);
	if (*json) {
		puts(answer);
		return FREC_EXIT_DONE;
	}
	frec__json_text(answer, "version", version, sizeof(version));
	frec__text_printf(&text, "recorder %.0f, version ", frec__json_number(answer, "pid"));
	frec__text_plain(&text, version, strlen(version));
	// Other users learn nothing about the rings.
	if (frec__json_member(answer, "rings")) {
		put_details(&text, answer);
	} else {
		frec__text_puts(&text, ", of another user\n");
		put_path(&text, "  last       ", answer, "last");
	}
	fputs(text.data ? text.data : "", stdout);
	frec__text_free(&text);
	return FREC_EXIT_DONE;
}

int frec_cmd_status(int argc, char **argv)
{
	static const struct option options[] = {{"socket", required_argument, NULL, 's'},
						{"pid", required_argument, NULL, 'p'},
						{"json", no_argument, NULL, 'j'},
						{"help", no_argument, NULL, 'h'},
						{0}};
	struct frec_recorders which = {0};
	bool json = false;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		switch (option) {
		case 's':
			which.socket = optarg;
			break;
		case 'p':
			which.pid = frec__parse_pid(optarg);
			if (!which.pid)
				return frec__cli_usage(USAGE, "--pid %s: not a process number",
						       optarg);
			break;
		case 'j':
			json = true;
			break;
		default:
			return frec__cli_other_option(USAGE, help, option, argv[optind - 1]);
		}
	}
	if (optind < argc)
		return frec__cli_usage(USAGE, "%s: status takes no arguments", argv[optind]);
	if (which.socket && which.pid)
		return frec__cli_usage(USAGE, "either --socket or --pid");
	return frec__recorders_ask(&which, "status", answered, &json);
}
