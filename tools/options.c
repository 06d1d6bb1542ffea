// SPDX-License-Identifier: MIT
// Parsing and printing the table of a command's options, on top of getopt_long(3).
#include "tools/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cli.h"

#define OPTIONS_MAX 64
#define LETTERS_MAX (3 + 2 * OPTIONS_MAX)
// getopt_long returns this number for the long form of the first option, the next number for that
// of the second, and so on. For a short form it returns the letter.
#define NUMBER_FIRST 256
#define COLUMNS 100
#define HELP_COLUMN 24
#define USAGE_COLUMN 7 // after "usage: "
#define USAGE_INDENT 17

static const struct option help_option = {"help", no_argument, NULL, 'h'};

struct parser {
	const struct frec_option *option[OPTIONS_MAX]; /* at the same index as in `longs` */
	struct option longs[OPTIONS_MAX + 2];
	size_t count;
	char letters[LETTERS_MAX + 1];
};

static int takes(const struct frec_option *option)
{
	if (!option->value)
		return no_argument;
	return *option->value == '=' ? optional_argument : required_argument;
}

static void parser_init(struct parser *parser, const struct frec_command_line *command)
{
	char *letter = parser->letters;

	parser->count = 0;
	if (command->stops_at_argument)
		*letter++ = '+';
	*letter++ = ':';
	*letter++ = 'h';
	for (size_t t = 0; t < FREC_OPTION_TABLES_MAX && command->options[t]; t++) {
		for (const struct frec_option *option = command->options[t];
		     option->name || option->letter; option++) {
			size_t at = parser->count++;

			parser->option[at] = option;
			// A NULL name would end getopt_long's table, so an option without a name
			// gets one that nobody types.
			parser->longs[at] =
				(struct option){option->name ? option->name : "\n", takes(option),
						NULL, NUMBER_FIRST + (int)at};
			if (!option->letter)
				continue;
			*letter++ = option->letter;
			if (option->value)
				*letter++ = ':';
		}
	}
	parser->longs[parser->count] = help_option;
	parser->longs[parser->count + 1] = (struct option){0};
	*letter = 0;
}

static const struct frec_option *find(const struct parser *parser, int value)
{
	if (value >= NUMBER_FIRST)
		return parser->option[value - NUMBER_FIRST];
	for (size_t i = 0; i < parser->count; i++) {
		if (parser->option[i]->letter == value)
			return parser->option[i];
	}
	return NULL;
}

// Returns the length of the next word. Words in brackets count as one.
static size_t word_length(const char *text)
{
	int depth = 0;
	size_t i;

	for (i = 0; text[i] && text[i] != '\n' && (depth || text[i] != ' '); i++)
		depth += (text[i] == '[') - (text[i] == ']');
	return i;
}

// Prints the words of `text`, and a newline. The cursor is at `column`; lines that wrapping begins
// are indented by `indent`.
static void print_wrapped(const char *text, size_t column, size_t indent)
{
	bool first = true;

	while (*text) {
		size_t length = word_length(text);

		if (!first && column + 1 + length > COLUMNS) {
			printf("\n%*s", (int)indent, "");
			column = indent;
		} else if (!first) {
			putchar(' ');
			column++;
		}
		first = text[length] == '\n';
		printf("%.*s%s", (int)length, text, first ? "\n" : "");
		column = first ? 0 : column + length;
		text += length + (text[length] != 0);
	}
	putchar('\n');
}

static void print_option(const struct frec_option *option)
{
	char spelled[80];
	const char *value = option->value;
	int n = 0;

	if (option->letter && option->name)
		n = snprintf(spelled, sizeof(spelled), "  -%c, --%s", option->letter, option->name);
	else if (option->letter)
		n = snprintf(spelled, sizeof(spelled), "  -%c", option->letter);
	else
		n = snprintf(spelled, sizeof(spelled), "      --%s", option->name);
	if (value)
		n += snprintf(spelled + n, sizeof(spelled) - (size_t)n,
			      *value == '=' ? "[%s]" : " %s", value);
	if (n + 2 > HELP_COLUMN)
		printf("%s\n%*s", spelled, HELP_COLUMN, "");
	else
		printf("%-*s", HELP_COLUMN, spelled);
	print_wrapped(option->help, HELP_COLUMN, HELP_COLUMN);
}

static void print_help(const struct frec_command_line *command)
{
	fputs("usage: ", stdout);
	print_wrapped(command->usage, USAGE_COLUMN, USAGE_INDENT);
	putchar('\n');
	if (command->about) {
		print_wrapped(command->about, 0, 0);
		putchar('\n');
	}
	for (size_t t = 0; t < FREC_OPTION_TABLES_MAX && command->options[t]; t++) {
		for (const struct frec_option *option = command->options[t];
		     option->name || option->letter; option++) {
			if (option->help)
				print_option(option);
		}
	}
	if (command->more)
		printf("\n%s", command->more);
	if (command->print_more)
		command->print_more();
}

// Stores the value where the option points, or calls its parser. Returns 0 or, after printing a
// complaint, the exit status.
static int apply(const struct frec_command_line *command, const struct frec_option *option,
		 const char *value)
{
	struct frec_error error = {0};

	if (option->flag)
		*option->flag = true;
	if (option->text)
		*option->text = value;
	if (!option->parse || !option->parse(option->data, value, &error))
		return 0;
	if (option->reads_file)
		return frec__cli_fail("%s", error.message);
	if (*error.message)
		return frec__cli_usage(command->usage, "%s", error.message);
	return frec__cli_usage(command->usage, "%s%s%s%s: %s", option->name ? "--" : "-",
			       option->name ? option->name : (char[]){option->letter, 0},
			       *option->value == '=' ? "=" : " ", value, option->expected);
}

bool frec__options_parse(const struct frec_command_line *command, int *argc, char ***argv,
			 int *ret_status)
{
	const struct frec_option *option;
	struct parser parser;
	bool last = false;
	int value;

	parser_init(&parser, command);
	optind = 0; // makes getopt_long start anew, and look for the '+'
	opterr = 0;
	while (!last &&
	       (value = getopt_long(*argc, *argv, parser.letters, parser.longs, NULL)) != -1) {
		if (value == 'h') {
			print_help(command);
			*ret_status = FREC_EXIT_DONE;
			return false;
		}
		option = value == '?' || value == ':' ? NULL : find(&parser, value);
		if (option)
			*ret_status = apply(command, option, optarg);
		else
			*ret_status =
				frec__cli_usage(command->usage, "%s: %s", (*argv)[optind - 1],
						value == ':' ? "needs a value" : "no such option");
		if (*ret_status)
			return false;
		last = option->last;
	}
	*argc -= optind;
	*argv += optind;
	return true;
}

int frec__parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || value < min || value > max)
		return -EINVAL;
	*ret = value;
	return 0;
}
