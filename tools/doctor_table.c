// SPDX-License-Identifier: MIT
// The table has a line for each capability, in groups. Below it are the commands that would help,
// in a form that can be pasted into a shell, so advice in words is a shell comment. The last lines
// say which transports work, and what can be recorded.
#include "tools/doctor_table.h"

#include <string.h>

#define STATE_COLUMN 9
#define NAME_COLUMN 17
#define ENABLES_COLUMN 26
/* Widths of the columns of the summary: a transport's name, and whether it works. */
#define TRANSPORT_COLUMN 13
#define WORKS_COLUMN 5
/* A column of words is wrapped only if it is wider than this. In a narrower one, wrapped words read
 * worse than lines that the terminal breaks. */
#define NARROWEST 24

static const char *const states[] = {
	[FREC_PROBE_OK] = "ok", [FREC_PROBE_LIMITED] = "limited", [FREC_PROBE_MISSING] = "missing"};
static const char *const colors[] = {[FREC_PROBE_OK] = "\033[32m",
				     [FREC_PROBE_LIMITED] = "\033[33m",
				     [FREC_PROBE_MISSING] = "\033[31m"};
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

static const struct {
	const char *name, *title;
} groups[] = {
	[FREC_PROBE_USER_EVENTS] = {"user_events",
				    "carries events through the kernel's own user events"},
	[FREC_PROBE_USDT] = {"usdt", "carries events by BPF programs on the services' probes"},
	[FREC_PROBE_SHM] = {"shm", "carries events through shared memory, without rights"},
	[FREC_PROBE_KERNEL] = {"kernel", "the kernel's own events"},
	[FREC_PROBE_RINGS] = {"rings", "where events are kept"},
	[FREC_PROBE_CRASHES] = {"crashes", "what is learnt about a death"},
	[FREC_PROBE_PROCESSES] = {"processes", "what is known of processes"},
	[FREC_PROBE_ENVIRONMENT] = {"environment", "who we are and where"},
};

/* What can damage the records of each transport. */
static const char *const notes[FREC_PROBE_TRANSPORT_COUNT] = {
	[FREC_PROBE_USER_EVENTS] = "the rings are the kernel's: no process can damage them",
	[FREC_PROBE_USDT] = "the rings are the kernel's: no process can damage them",
	[FREC_PROBE_SHM] = ("the rings are mapped into the service: a wild write of it can damage "
			    "records, which are then detected and counted"),
};

// Puts `words`, wrapped to the width. Each further line begins with `indent` blanks and `mark`.
static void put_words(struct frec_text *text, const char *words, unsigned int indent,
		      const char *mark, unsigned int width)
{
	size_t taken = indent + strlen(mark), room = width > taken + NARROWEST ? width - taken : 0;
	struct frec_text plain = {0};
	const char *at;

	// `words` can quote files, core_pattern among them, so control characters are escaped.
	frec__text_plain(&plain, words, strlen(words));
	at = plain.data ? plain.data : "";
	while (room && strlen(at) > room) {
		size_t end = room;

		while (end && at[end] != ' ')
			end--;
		if (!end)
			break;
		frec__text_add(text, at, end);
		frec__text_printf(text, "\n%*s%s", (int)indent, "", mark);
		at += end + 1;
	}
	frec__text_printf(text, "%s\n", at);
	frec__text_free(&plain);
}

static void put_capability(struct frec_text *text, const struct frec_probe *probe,
			   const struct frec_probe_result *result, unsigned int width, bool colored)
{
	frec__text_printf(text, "%s%-*s%s%-*s%-*s", colored ? colors[result->state] : "",
			  STATE_COLUMN, states[result->state], colored ? PLAIN : "", NAME_COLUMN,
			  probe->name, ENABLES_COLUMN, probe->enables);
	put_words(text, result->found, STATE_COLUMN + NAME_COLUMN + ENABLES_COLUMN, "", width);
}

static bool same_help(const struct frec_probe_result *a, const struct frec_probe_result *b)
{
	return !strcmp(a->fix, b->fix) && !strcmp(a->advice, b->advice);
}

// Puts the help for a capability. Capabilities with the same help share one entry, which names them
// all. That entry is put for the first of them, and nothing is put for the others.
static void put_help(struct frec_text *text, const struct frec_probe_result *results, size_t first,
		     unsigned int width)
{
	const struct frec_probe_result *result = &results[first];
	struct frec_text words = {0};

	if (!*result->fix && !*result->advice)
		return;
	for (size_t i = 0; i < first; i++) {
		if (same_help(&results[i], result))
			return;
	}
	for (size_t i = first; i < frec__probe_count; i++) {
		if (same_help(&results[i], result))
			frec__text_printf(&words, "%s%s", i == first ? "" : ", ",
					  frec__probes[i].name);
	}
	if (*result->advice)
		frec__text_printf(&words, ": %s", result->advice);
	frec__text_puts(text, "  # ");
	put_words(text, words.data ? words.data : "", 2, "# ", width);
	if (*result->fix)
		frec__text_printf(text, "  %s\n", result->fix);
	frec__text_free(&words);
}

// Returns words that say which recorders use the transport by default.
static const char *taken_by(const struct frec_probe_verdict *verdict, int transport)
{
	bool run = transport == verdict->automatic;
	bool record = transport == verdict->automatic_machine;

	return run && record ? "taken by auto; "
	       : run	     ? "taken by auto in run and in services that start a recorder; "
	       : record	     ? "taken by auto in record; "
			     : "";
}

static void put_transport(struct frec_text *text, const struct frec_probe_verdict *verdict,
			  int transport, unsigned int width)
{
	const struct frec_probe *lacking = verdict->lacking[transport];
	struct frec_text words = {0};

	if (lacking)
		frec__text_printf(&words, "for want of %s", lacking->name);
	else
		frec__text_printf(&words, "%s%s", taken_by(verdict, transport), notes[transport]);
	frec__text_printf(text, "%-*s%-*s", TRANSPORT_COLUMN, groups[transport].name, WORKS_COLUMN,
			  lacking ? "no" : "yes");
	put_words(text, words.data ? words.data : "", TRANSPORT_COLUMN + WORKS_COLUMN, "", width);
	frec__text_free(&words);
}

static void put_sum(struct frec_text *text, const struct frec_probe_verdict *verdict,
		    unsigned int width, bool colored)
{
	frec__text_printf(text, "\n%s%-*s%s%s\n", colored ? BOLD : "", TRANSPORT_COLUMN,
			  "transport", "works", colored ? PLAIN : "");
	for (int i = 0; i < FREC_PROBE_TRANSPORT_COUNT; i++)
		put_transport(text, verdict, i, width);
	if (verdict->automatic < 0 && verdict->tracepoints_lacking)
		frec__text_puts(text, "\nNothing can be recorded here as this user.\n");
	else if (verdict->tracepoints_lacking)
		frec__text_printf(text,
				  "\nEvents of services can be recorded; the kernel's cannot, for "
				  "want of %s.\n",
				  verdict->tracepoints_lacking->name);
	else if (verdict->automatic < 0)
		frec__text_puts(
			text, "\nThe kernel's events can be recorded; those of services cannot.\n");
	else
		frec__text_puts(text, "\nEvents of services and of the kernel can be recorded.\n");
}

void frec__doctor_table(struct frec_text *text, const struct frec_probe_result *results,
			unsigned int width, bool colored)
{
	struct frec_probe_verdict verdict;
	size_t before;

	for (size_t i = 0; i < frec__probe_count; i++) {
		if (!i || frec__probes[i].group != frec__probes[i - 1].group)
			frec__text_printf(text, "%s%s%s%s: %s\n", i ? "\n" : "",
					  colored ? BOLD : "", groups[frec__probes[i].group].name,
					  colored ? PLAIN : "",
					  groups[frec__probes[i].group].title);
		put_capability(text, &frec__probes[i], &results[i], width, colored);
	}
	frec__text_printf(text, "\n%swhat would help%s: as a shell takes it\n", colored ? BOLD : "",
			  colored ? PLAIN : "");
	before = text->size;
	for (size_t i = 0; i < frec__probe_count; i++)
		put_help(text, results, i, width);
	if (text->size == before)
		frec__text_puts(text, "  # nothing is missing\n");
	frec__probes_judge(results, &verdict);
	put_sum(text, &verdict, width, colored);
}

static void put_member(struct frec_text *text, const char *name, const char *value)
{
	frec__text_printf(text, ",\"%s\":", name);
	frec__text_json_puts(text, value);
}

void frec__doctor_json(struct frec_text *text, const struct frec_probe_result *results)
{
	struct frec_probe_verdict verdict;

	for (size_t i = 0; i < frec__probe_count; i++) {
		frec__text_printf(text, "{\"capability\":\"%s\",\"group\":\"%s\",\"state\":\"%s\"",
				  frec__probes[i].name, groups[frec__probes[i].group].name,
				  states[results[i].state]);
		put_member(text, "enables", frec__probes[i].enables);
		put_member(text, "found", results[i].found);
		if (*results[i].fix)
			put_member(text, "fix", results[i].fix);
		if (*results[i].advice)
			put_member(text, "advice", results[i].advice);
		frec__text_puts(text, "}\n");
	}
	frec__probes_judge(results, &verdict);
	frec__text_puts(text, "{\"transports\":{");
	for (int i = 0; i < FREC_PROBE_TRANSPORT_COUNT; i++) {
		frec__text_printf(text, "%s\"%s\":{\"works\":%s", i ? "," : "", groups[i].name,
				  verdict.lacking[i] ? "false" : "true");
		if (verdict.lacking[i])
			put_member(text, "lacks", verdict.lacking[i]->name);
		put_member(text, "note", notes[i]);
		frec__text_puts(text, "}");
	}
	frec__text_puts(text, "},\"auto\":");
	if (verdict.automatic < 0)
		frec__text_puts(text, "null");
	else
		frec__text_json_puts(text, groups[verdict.automatic].name);
	frec__text_puts(text, ",\"auto_machine\":");
	if (verdict.automatic_machine < 0)
		frec__text_puts(text, "null");
	else
		frec__text_json_puts(text, groups[verdict.automatic_machine].name);
	frec__text_printf(text, ",\"tracepoints\":%s}\n",
			  verdict.tracepoints_lacking ? "false" : "true");
}
