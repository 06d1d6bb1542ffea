/* SPDX-License-Identifier: MIT */
/* What the commands of the tool share: how they fail, progress, and the list of commands. */
#ifndef FREC_TOOLS_CLI_H
#define FREC_TOOLS_CLI_H

#include <stdbool.h>
#include <stdint.h>

/* Exit statuses of every command. */
enum { FREC_EXIT_DONE = 0, FREC_EXIT_FAILED = 1, FREC_EXIT_USAGE = 2 };

/* Prints one line on stderr, "flightrec: ...". Returns FREC_EXIT_FAILED. */
__attribute__((format(printf, 1, 2))) int frec__cli_fail(const char *format, ...);

/* Prints such a line about a mistake in the arguments, then `usage`. Returns FREC_EXIT_USAGE. */
__attribute__((format(printf, 2, 3))) int frec__cli_usage(const char *usage, const char *format,
							  ...);

/*
 * A progress bar on stderr with the remaining time, only on a terminal and only after a second.
 * Long work calls frec__progress_update(). If its `total` is 0, the amount of work is unknown, and
 * nothing is shown.
 */
struct frec_progress {
	bool shown;
	uint64_t start, next; /* CLOCK_MONOTONIC, ns */
};
void frec__progress_start(struct frec_progress *progress);
void frec__progress_update(void *progress, uint64_t done, uint64_t total);
void frec__progress_end(struct frec_progress *progress);

int frec_cmd_core(int argc, char **argv);
int frec_cmd_complete(int argc, char **argv);
int frec_cmd_doctor(int argc, char **argv);
int frec_cmd_events(int argc, char **argv);
int frec_cmd_export(int argc, char **argv);
int frec_cmd_import(int argc, char **argv);
int frec_cmd_keep(int argc, char **argv);
int frec_cmd_record(int argc, char **argv);
int frec_cmd_run(int argc, char **argv);
int frec_cmd_status(int argc, char **argv);
int frec_cmd_trigger(int argc, char **argv);
int frec_cmd_show(int argc, char **argv);
int frec_cmd_verify(int argc, char **argv);

#endif
