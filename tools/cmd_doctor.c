// SPDX-License-Identifier: MIT
// flightrec doctor: what this machine can do for a recorder, and how to fix what it can't.
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "export/text.h"
#include "recorder/cleanup.h"
#include "recorder/probes.h"
#include "tools/cli.h"

#define USAGE "flightrec doctor [--json]"

static const char help[] =
	"usage: " USAGE "\n\n"
	"Tries everything that recording needs, as this user, and says what works, what each is "
	"good for, and\n"
	"which command would fix what does not. Exit status 0: something can be recorded, 1: "
	"nothing can.\n\n"
	"      --json  one JSON object a probe and one for the sum, for machines\n";

static const char *const states[] = {
	[FREC_PROBE_OK] = "ok", [FREC_PROBE_LIMITED] = "limited", [FREC_PROBE_MISSING] = "missing"};
static const char *const colors[] = {[FREC_PROBE_OK] = "\033[32m",
				     [FREC_PROBE_LIMITED] = "\033[33m",
				     [FREC_PROBE_MISSING] = "\033[31m"};

static void put_text(struct frec_text *text, const struct frec_probe *probe,
		     const struct frec_probe_result *result, bool colored)
{
	frec__text_printf(text, "%s%-8s%s %-15s ", colored ? colors[result->state] : "",
			  states[result->state], colored ? "\033[0m" : "", probe->name);
	// Details quote what files say, core_pattern among them.
	frec__text_plain(text, result->detail, strlen(result->detail));
	frec__text_printf(text, "\n%25sfor %s\n", "", probe->description);
	if (*result->fix) {
		frec__text_printf(text, "%25sfix: ", "");
		frec__text_plain(text, result->fix, strlen(result->fix));
		frec__text_puts(text, "\n");
	}
}

static void put_json(struct frec_text *text, const struct frec_probe *probe,
		     const struct frec_probe_result *result)
{
	frec__text_printf(text, "{\"probe\":\"%s\",\"state\":\"%s\",\"for\":", probe->name,
			  states[result->state]);
	frec__text_json_puts(text, probe->description);
	frec__text_puts(text, ",\"detail\":");
	frec__text_json_puts(text, result->detail);
	if (*result->fix) {
		frec__text_puts(text, ",\"fix\":");
		frec__text_json_puts(text, result->fix);
	}
	frec__text_puts(text, "}\n");
}

static int print(const struct frec_probe_result *results, bool json)
{
	const char *no_color = getenv("NO_COLOR");
	bool colored = isatty(STDOUT_FILENO) && !(no_color && *no_color);
	bool user_events = frec__probes_user_events(results);
	bool tracepoints = frec__probes_tracepoints(results);
	struct frec_text text = {0};

	for (size_t i = 0; i < frec__probe_count; i++) {
		if (json)
			put_json(&text, &frec__probes[i], &results[i]);
		else
			put_text(&text, &frec__probes[i], &results[i], colored);
	}
	if (json)
		frec__text_printf(&text,
				  "{\"records_user_events\":%s,\"records_tracepoints\":%s}\n",
				  user_events ? "true" : "false", tracepoints ? "true" : "false");
	else
		frec__text_printf(
			&text, "\n%s\n",
			user_events   ? "User events and kernel tracepoints can be recorded."
			: tracepoints ? "Kernel tracepoints can be recorded, user events cannot."
				      : "Nothing can be recorded here as this user.");
	fwrite(text.data ? text.data : "", 1, text.size, stdout);
	frec__text_free(&text);
	if (fflush(stdout))
		return frec__cli_fail("standard output: %m");
	return tracepoints ? FREC_EXIT_DONE : FREC_EXIT_FAILED;
}

int frec_cmd_doctor(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
	FREC_FREE struct frec_probe_result *results = NULL;
	bool json = false;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			json = true;
			break;
		default:
			return frec__cli_other_option(USAGE, help, option, argv[optind - 1]);
		}
	}
	if (optind < argc)
		return frec__cli_usage(USAGE, "%s: doctor takes no arguments", argv[optind]);
	results = calloc(frec__probe_count, sizeof(*results));
	if (!results)
		return frec__cli_fail("out of memory");
	frec__probes_run(results);
	return print(results, json);
}
