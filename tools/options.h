/* SPDX-License-Identifier: MIT */
/*
 * The options of a command: one table that is parsed, printed as help, and completed by shells.
 *
 * A table is an array of struct frec_option that ends with an empty one. Each option points to the
 * variable that gets its value, often a local variable of the command:
 *
 *	bool json = false;
 *	const struct frec_option options[] = {
 *		{.name = "json", .flag = &json, .help = "print one JSON object"}, {0}};
 *	const struct frec_command_line command = {
 *		.usage = "flightrec verify FILE.frec [--json]", .options = {options}};
 *	int status;
 *
 *	if (!frec__options_parse(&command, &argc, &argv, &status))
 *		return status;
 */
#ifndef FREC_TOOLS_OPTIONS_H
#define FREC_TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/error.h"

struct frec_option {
	const char *name; /* without the dashes; NULL: it has a letter only */
	char letter;	  /* 0: none */
	/* The word for the option's value in the help; NULL: the option takes none. A value whose
	 * word begins with '=' is optional, as in --stack[=BYTES]. */
	const char *value;
	const char *help; /* one sentence or several; NULL: not for people, so not in the help */

	/* What the option does: one of the next three is set. */
	bool *flag;	   /* is set to true */
	const char **text; /* is set to the value */
	/* Called with `data` and the value, or NULL if an optional value is missing. Returns 0, or
	 * a negative errno with a complaint in `reterr`. Without a complaint, `expected` is
	 * printed. */
	int (*parse)(void *data, const char *value, struct frec_error *reterr);
	void *data;
	const char *expected; /* what the value has to be, as in "a size such as 500M" */
	bool reads_file; /* a complaint means that the command failed, not that usage was bad */

	bool last; /* all words after this option are arguments, even those with dashes */
};

#define FREC_OPTION_TABLES_MAX 4

struct frec_command_line {
	const char *usage; /* "flightrec NAME ...", one line for each form */
	const char *about; /* what the command does, for --help; may be NULL */
	const struct frec_option *options[FREC_OPTION_TABLES_MAX];
	const char *more;	  /* printed after the options in the help; may be NULL */
	void (*print_more)(void); /* prints further help, which has to be computed; may be NULL */
	bool stops_at_argument;	  /* options after the first argument are not the command's */
};

/*
 * Parses the words after argv[0]. Returns true if the command is to go on; *argc and *argv are then
 * the arguments that are left. Otherwise help or a message about a mistake was printed, and
 * *ret_status is the exit status.
 */
bool frec__options_parse(const struct frec_command_line *command, int *argc, char ***argv,
			 int *ret_status);

/* Parses a whole number from `min` to `max`. Returns 0 or -EINVAL. */
int frec__parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret);

#endif
