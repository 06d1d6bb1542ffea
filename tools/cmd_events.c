// SPDX-License-Identifier: MIT
// flightrec events: lists what can be recorded, as the kernel has it and as programs declare it.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "export/read/text.h"
#include "proto/grow.h"
#include "recorder/sources/selection.h"
#include "tools/cli.h"
#include "tools/event_list.h"
#include "tools/options.h"

#define NAME_WIDTH_MAX 40

static const char *kind_name(const struct frec_listed_event *event)
{
	switch (event->listed.kind) {
	case FLIGHTREC__SOURCE_KIND__SOURCE_EVENT:
		return event->declared ? "declared" : "event";
	case FLIGHTREC__SOURCE_KIND__SOURCE_USER_EVENT:
		return "user_event";
	case FLIGHTREC__SOURCE_KIND__SOURCE_USDT:
		return "usdt";
	case FLIGHTREC__SOURCE_KIND__SOURCE_RAW_TRACEPOINT:
		return "tp_btf";
	default:
		return "tracepoint";
	}
}

static void put_type(struct frec_text *text, const struct frec_field *field)
{
	switch (field->kind) {
	case FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED:
		frec__text_printf(text, "u%u", 8 * field->size);
		break;
	case FLIGHTREC__FIELD_KIND__FIELD_SIGNED:
		frec__text_printf(text, "i%u", 8 * field->size);
		break;
	case FLIGHTREC__FIELD_KIND__FIELD_FLOAT:
		frec__text_printf(text, "f%u", 8 * field->size);
		break;
	case FLIGHTREC__FIELD_KIND__FIELD_BOOL:
		frec__text_puts(text, "bool");
		break;
	case FLIGHTREC__FIELD_KIND__FIELD_POINTER:
		frec__text_puts(text, "pointer");
		break;
	case FLIGHTREC__FIELD_KIND__FIELD_STRING:
		frec__text_puts(text, field->counted ? "text" : "string");
		break;
	case FLIGHTREC__FIELD_KIND__FIELD_BYTES:
		frec__text_puts(text, "bytes");
		break;
	case FLIGHTREC__FIELD_KIND__FIELD_CHARS:
		frec__text_printf(text, "char[%u]", field->size);
		break;
	case FLIGHTREC__FIELD_KIND__FIELD_ENUM:
		frec__text_puts(text, "enum");
		break;
	case FLIGHTREC__FIELD_KIND__FIELD_ARRAY:
		frec__text_printf(text, "%c%u[%u]", field->element_signed ? 'i' : 'u',
				  8 * field->element_size, field->size / field->element_size);
		break;
	default:
		frec__text_puts(text, field->type);
	}
}

// Names declared types as put_type() names the kernel's types.
static void put_declared_type(struct frec_text *text, const struct frec_declared_field *field)
{
	if (!strcmp(field->kind, "chars"))
		frec__text_printf(text, "char[%u]", field->length);
	else
		frec__text_puts(text, !strcmp(field->kind, "ptr")   ? "pointer"
				      : !strcmp(field->kind, "str") ? "string"
								    : field->kind);
}

static size_t field_count(const struct frec_listed_event *event)
{
	return event->declared ? event->declared->count : event->format.count;
}

// Returns the name of a field, and its type and enumerators, from the declaration if the event has
// one, else from the kernel.
static const char *describe_field(const struct frec_listed_event *event, size_t at,
				  struct frec_text *type,
				  const struct frec_enumerator **ret_enumerator,
				  size_t *ret_enumerators)
{
	frec__text_clear(type);
	if (event->declared) {
		const struct frec_declared_field *field = &event->declared->field[at];

		put_declared_type(type, field);
		*ret_enumerator = field->enumerator;
		*ret_enumerators = field->enumerators;
		return field->name;
	}
	put_type(type, &event->format.field[at]);
	*ret_enumerator = event->format.field[at].enumerator;
	*ret_enumerators = event->format.field[at].enumerators;
	return event->format.field[at].name;
}

// Adds one line for the event to `text`; if `width` is not 0, the fields are wrapped to it, beside
// the name.
static void put_text(struct frec_text *text, const struct frec_listed_event *event,
		     size_t name_width, size_t width)
{
	struct frec_text type = {0}, item = {0};
	char name[400];
	size_t column = name_width + 2;

	snprintf(name, sizeof(name), "%s:%s", event->listed.system, event->listed.name);
	frec__text_printf(text, "%-*s", (int)name_width, name);
	if (strlen(name) > name_width)
		column += strlen(name) - name_width;
	for (size_t i = 0; i < field_count(event); i++) {
		const struct frec_enumerator *enumerator;
		size_t enumerators;
		const char *field = describe_field(event, i, &type, &enumerator, &enumerators);

		frec__text_clear(&item);
		frec__text_printf(&item, "%s %s", type.data ? type.data : "", field);
		for (size_t e = 0; e < enumerators; e++)
			frec__text_printf(&item, "%s%s=%lld%s", e ? " " : " (", enumerator[e].name,
					  (long long)enumerator[e].value,
					  e + 1 == enumerators ? ")" : "");
		if (width && i && column + item.size + 2 > width) {
			frec__text_printf(text, ",\n%*s", (int)name_width + 2, "");
			column = name_width + 2;
		} else {
			frec__text_puts(text, i ? ", " : "  ");
		}
		frec__text_add(text, item.data, item.size);
		column += item.size + 2;
	}
	frec__text_puts(text, "\n");
	frec__text_free(&type);
	frec__text_free(&item);
}

static void put_json(struct frec_text *text, const struct frec_listed_event *event)
{
	struct frec_text type = {0};

	frec__text_puts(text, "{\"system\":");
	frec__text_json_puts(text, event->listed.system);
	frec__text_puts(text, ",\"name\":");
	frec__text_json_puts(text, event->listed.name);
	frec__text_printf(text, ",\"kind\":\"%s\"", kind_name(event));
	if (!event->declared) {
		frec__text_puts(text, ",\"group\":");
		frec__text_json_puts(text, event->listed.group);
		frec__text_puts(text, ",\"kernel_name\":");
		frec__text_json_puts(text, event->listed.kernel_name);
	}
	frec__text_puts(text, ",\"fields\":[");
	for (size_t i = 0; i < field_count(event); i++) {
		const struct frec_enumerator *enumerator;
		size_t enumerators;
		const char *field = describe_field(event, i, &type, &enumerator, &enumerators);

		frec__text_puts(text, i ? ",{\"name\":" : "{\"name\":");
		frec__text_json_puts(text, field);
		frec__text_puts(text, ",\"type\":");
		frec__text_json_puts(text, type.data ? type.data : "");
		for (size_t e = 0; e < enumerators; e++) {
			frec__text_puts(text, e ? "," : ",\"enumerators\":{");
			frec__text_json_puts(text, enumerator[e].name);
			frec__text_printf(text, ":%lld%s", (long long)enumerator[e].value,
					  e + 1 == enumerators ? "}" : "");
		}
		frec__text_puts(text, "}");
	}
	frec__text_puts(text, "]");
	if (event->conflict) {
		frec__text_puts(text, ",\"conflict\":");
		frec__text_json_puts(text, event->conflict);
	}
	frec__text_puts(text, "}\n");
	frec__text_free(&type);
}

static int print(const struct frec_event_list *list, bool json)
{
	struct winsize terminal = {0};
	struct frec_text text = {0};
	size_t name_width = 0;

	if (isatty(STDOUT_FILENO))
		(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &terminal);
	for (size_t i = 0; i < list->count; i++) {
		size_t length = strlen(list->event[i].listed.system) + 1 +
				strlen(list->event[i].listed.name);

		if (length > name_width && length <= NAME_WIDTH_MAX)
			name_width = length;
	}
	for (size_t i = 0; i < list->count; i++) {
		if (json)
			put_json(&text, &list->event[i]);
		else
			put_text(&text, &list->event[i], name_width, terminal.ws_col);
	}
	fwrite(text.data ? text.data : "", 1, text.size, stdout);
	frec__text_free(&text);
	if (fflush(stdout))
		return frec__cli_fail("standard output: %m");
	for (size_t i = 0; i < list->count; i++) {
		if (list->event[i].conflict)
			fprintf(stderr,
				"flightrec: %s:%s is declared with other fields than the kernel "
				"has: \"%s\"; "
				"'flightrec doctor' (layouts) says whether both are recorded\n",
				list->event[i].listed.system, list->event[i].listed.name,
				list->event[i].conflict);
	}
	return text.failed ? frec__cli_fail("out of memory") : FREC_EXIT_DONE;
}

static int add_selection(struct frec_event_list *list, const char *selection)
{
	struct frec_error error = {0};
	const char *colon = strchr(selection, ':');
	int matched;

	if (!colon || colon == selection || !colon[1])
		return frec__cli_fail("%s: an event is named SYSTEM:NAME, as in 'shop:*' or "
				      "'sched:*'; a file has a '/' in its name",
				      selection);
	matched = frec__event_list_add_kernel(list, selection, &error);
	if (matched < 0)
		return frec__cli_fail("%s", error.message);
	if (!matched && strpbrk(selection, "*?["))
		return frec__cli_fail(
			"%s: no event matches; user events exist while a program that declares "
			"them runs, and kernel tracepoints are matched by their system ('sched:*')",
			selection);
	return matched ? FREC_EXIT_DONE
		       : frec__cli_fail("%s: no such event; '*:*' lists what running programs have",
					selection);
}

static int add_file(struct frec_event_list *list, const char *path)
{
	struct frec_error error = {0};
	int declared = frec__event_list_add_file(list, path, &error);

	if (declared < 0)
		return frec__cli_fail("%s", error.message);
	return declared ? FREC_EXIT_DONE : frec__cli_fail("%s: declares no events", path);
}

static int add_foreign(struct frec_event_list *list, const char *selection)
{
	struct frec_error error = {0};

	return frec__event_list_add_foreign(list, selection, &error)
		       ? frec__cli_fail("%s", error.message)
		       : FREC_EXIT_DONE;
}

static int add_glob(struct frec_event_list *list, const char *glob)
{
	if (frec__selection_kind(glob) != FREC_SELECT_EVENT)
		return add_foreign(list, glob);
	return strchr(glob, '/') ? add_file(list, glob) : add_selection(list, glob);
}

// Adds the events that the arguments select or, without arguments, all user events, of which there
// may be none. Returns an exit status.
static int gather(struct frec_event_list *list, const char *const *file, size_t files, char **globs)
{
	struct frec_error error = {0};
	bool kernel = !files && !*globs;
	int status = FREC_EXIT_DONE;

	for (char **glob = globs; *glob; glob++)
		kernel |= frec__selection_kind(*glob) == FREC_SELECT_EVENT && !strchr(*glob, '/');
	list->tracefs = frec__catalog_open(&error);
	if (kernel && list->tracefs < 0)
		return frec__cli_fail("%s", error.message);
	if (!files && !*globs && frec__event_list_add_kernel(list, "*:*", &error) < 0)
		return frec__cli_fail("%s", error.message);
	for (size_t i = 0; i < files && !status; i++)
		status = add_file(list, file[i]);
	for (; *globs && !status; globs++)
		status = add_glob(list, *globs);
	if (!status && frec__event_list_finish(list, &error))
		status = frec__cli_fail("%s", error.message);
	return status;
}

struct files {
	const char **path;
	size_t count;
};

static int add_path(void *data, const char *value, struct frec_error *reterr)
{
	struct files *files = data;

	if (!frec__grow(&files->path, files->count, sizeof(*files->path)))
		return frec__error(reterr, -ENOMEM, "out of memory");
	files->path[files->count++] = value;
	return 0;
}

int frec_cmd_events(int argc, char **argv)
{
	struct files files = {0};
	bool json = false;
	const struct frec_option options[] = {
		{.name = "file",
		 .value = "ELF",
		 .parse = add_path,
		 .data = &files,
		 .help = "list what this program, and the libraries that it is linked with, "
			 "declare; the file is read, not run; a GLOB that contains a '/' is such a "
			 "file too"},
		{.name = "json",
		 .flag = &json,
		 .help = "print one JSON object for each event, for machines"},
		{0}};
	const struct frec_command_line command = {
		.usage = "flightrec events [GLOB...] [--file ELF]... [--json]",
		.about = "Lists what can be recorded, with fields and types: every user event, or "
			 "what matches a GLOB over SYSTEM:NAME. Kernel tracepoints are listed if a "
			 "GLOB names their system, as in 'sched:*'. A GLOB can also be "
			 "usdt:FILE:PROVIDER:PROBE, the USDT probes of a program or library, or "
			 "tp_btf:NAME, kernel tracepoints by their arguments; see "
			 "flightrec-record(1).",
		.options = {options},
	};
	struct frec_event_list list = {.tracefs = -1};
	int status;

	if (!frec__options_parse(&command, &argc, &argv, &status)) {
		free(files.path);
		return status;
	}
	status = gather(&list, files.path, files.count, argv);
	if (!status)
		status = print(&list, json);
	frec__event_list_deinit(&list);
	free(files.path);
	return status;
}
