// SPDX-License-Identifier: MIT
// Parses the argument of -e.
#include "recorder/sources/selection.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define USDT "usdt:"
#define TP_BTF "tp_btf:"
#define USDT_SHAPE "usdt:FILE:PROVIDER:PROBE[:argN=str]..."

// Returns whether a '[' has no ']'. fnmatch(3) would match such a '[' literally, which nobody
// intends.
static bool is_open_set(const char *glob)
{
	const char *bracket = strchr(glob, '[');

	return bracket && !strchr(bracket, ']');
}

// Finds the '/' at which the options of a selection begin, even if there is no second '/' that
// ends them. Returns NULL if there are no options.
static char *find_options(char *text)
{
	char *colon = strrchr(text, ':');

	// If the only ':' is that of "usdt:", slashes belong to the path of the file.
	if (!colon || (colon == text + strlen(USDT) - 1 && !strncmp(text, USDT, strlen(USDT))))
		return NULL;
	return strchr(colon, '/');
}

static bool is_closed(const char *options)
{
	return options[1] && options[strlen(options) - 1] == '/';
}

char *frec__selection_next(char **rest)
{
	char *text = *rest, *comma = text;

	while ((comma = strchr(comma, ','))) {
		const char *options;

		*comma = 0;
		options = find_options(text);
		if (!options || is_closed(options)) {
			*rest = comma + 1;
			return text;
		}
		*comma++ = ',';
	}
	*rest = NULL;
	return text;
}

static int refuse_options(const struct frec_selection *selection, struct frec_error *reterr)
{
	return frec__error(
		reterr, -EINVAL,
		"-e %s: options stand between two slashes at the end, as in 'shop:*/stack=dwarf/'",
		selection->text);
}

static int cut_options(struct frec_selection *selection, struct frec_error *reterr)
{
	char *options = find_options(selection->pieces);

	if (!options)
		return 0;
	if (!is_closed(options))
		return refuse_options(selection, reterr);
	*options++ = 0;
	options[strlen(options) - 1] = 0;
	return frec__stack_parse(&selection->stack, options, selection->text, reterr);
}

// Takes "argN" off the word. Returns N, or -1 if the word begins with something else. N may be too
// large.
static long take_argument(const char **word)
{
	char *end;
	long number;

	// strtol() would accept a sign and blanks too.
	if (strncmp(*word, "arg", 3) != 0 || (*word)[3] < '0' || (*word)[3] > '9')
		return -1;
	number = strtol(*word + 3, &end, 10);
	*word = end;
	return number;
}

static int parse_argument(struct frec_selection *selection, const char *word,
			  struct frec_error *reterr)
{
	const char *at = word;
	long number = take_argument(&at), length = FREC_USDT_TO_NUL;
	bool valid = number >= 0 && !strncmp(at, "=str", 4), has_length;

	at += valid ? 4 : 0;
	has_length = valid && *at == '[';
	if (has_length) {
		at++;
		length = take_argument(&at);
		valid = length >= 0 && *at == ']';
		at += valid;
	}
	if (!valid || *at)
		return frec__error(reterr, -EINVAL,
				   "-e %s: '%s' after the probe: only argN=str is allowed there, "
				   "as in arg0=str, or arg0=str[arg1] if arg1 is the length",
				   selection->text, word);
	if (number >= FREC_USDT_ARGUMENTS_MAX || (has_length && length >= FREC_USDT_ARGUMENTS_MAX))
		return frec__error(
			reterr, -EINVAL,
			"-e %s: '%s': arguments are numbered from 0, and there are at most %d",
			selection->text, word, FREC_USDT_ARGUMENTS_MAX);
	selection->strings |= 1u << number;
	selection->length[number] = (uint8_t)length;
	return 0;
}

static int parse_usdt(struct frec_selection *selection, char *rest, struct frec_error *reterr)
{
	int r = 0;

	selection->file = strsep(&rest, ":");
	selection->provider = rest ? strsep(&rest, ":") : "";
	selection->name = rest ? strsep(&rest, ":") : "";
	if (!*selection->file || !*selection->provider || !*selection->name)
		return frec__error(reterr, -EINVAL,
				   "-e %s: a probe is named " USDT_SHAPE ", as in "
				   "usdt:postgres:postgresql:query__start:arg0=str",
				   selection->text);
	while (rest && !r)
		r = parse_argument(selection, strsep(&rest, ":"), reterr);
	return r;
}

static int parse_raw_tracepoint(struct frec_selection *selection, const char *name,
				struct frec_error *reterr)
{
	selection->name = name;
	return !*name || strchr(name, ':') ? frec__error(reterr, -EINVAL,
							 "-e %s: a tracepoint is named tp_btf:NAME "
							 "here, as in tp_btf:sched_switch",
							 selection->text)
					   : 0;
}

static int parse_event(struct frec_selection *selection, struct frec_error *reterr)
{
	const char *name = selection->pieces, *colon = strchr(name, ':');

	selection->name = name;
	if (!colon || colon == name || !colon[1])
		return frec__error(reterr, -EINVAL,
				   "-e %s: an event is named SYSTEM:NAME, as in 'shop:*' or "
				   "sched:sched_switch",
				   selection->text);
	return 0;
}

static int parse_name(struct frec_selection *selection, struct frec_error *reterr)
{
	switch (selection->kind) {
	case FREC_SELECT_USDT:
		return parse_usdt(selection, selection->pieces + strlen(USDT), reterr);
	case FREC_SELECT_RAW_TRACEPOINT:
		return parse_raw_tracepoint(selection, selection->pieces + strlen(TP_BTF), reterr);
	default:
		return parse_event(selection, reterr);
	}
}

enum frec_selection_kind frec__selection_kind(const char *text)
{
	if (!strncmp(text, USDT, strlen(USDT)))
		return FREC_SELECT_USDT;
	return strncmp(text, TP_BTF, strlen(TP_BTF)) ? FREC_SELECT_EVENT
						     : FREC_SELECT_RAW_TRACEPOINT;
}

int frec__selection_parse(struct frec_selection *selection, const char *text,
			  struct frec_error *reterr)
{
	int r;

	*selection = (struct frec_selection){
		.kind = frec__selection_kind(text), .text = strdup(text), .pieces = strdup(text)};
	if (!selection->text || !selection->pieces) {
		frec__selection_deinit(selection);
		return frec__error(reterr, -ENOMEM, "out of memory");
	}
	r = cut_options(selection, reterr);
	if (!r)
		r = parse_name(selection, reterr);
	if (!r && strchr(selection->name, '/'))
		r = refuse_options(selection, reterr);
	if (!r && ((selection->provider && is_open_set(selection->provider)) ||
		   is_open_set(selection->name)))
		r = frec__error(reterr, -EINVAL, "-e %s: '[' without ']'", text);
	if (r)
		frec__selection_deinit(selection);
	return r;
}

void frec__selection_deinit(struct frec_selection *selection)
{
	free(selection->text);
	free(selection->pieces);
	*selection = (struct frec_selection){0};
}
