// SPDX-License-Identifier: MIT
// Finds the probes that a selection matches.
#include "recorder/sources/foreign_targets.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "proto/grow.h"
#include "proto/limits.h"
#include "proto/report.h"

static struct frec_foreign_target *find(struct frec_foreign_targets *targets,
					const struct frec_program_file *file,
					const struct frec_usdt_probe *probe)
{
	for (size_t i = 0; i < targets->count; i++) {
		struct frec_foreign_target *target = &targets->target[i];

		if (target->file.inode == file->inode && target->file.device == file->device &&
		    !strcmp(target->probe.name, probe->name) &&
		    !strcmp(target->probe.provider, probe->provider))
			return target;
	}
	return NULL;
}

// Records arguments of a target as texts if the selection says so, and the probe has them and those
// that are their lengths.
static void add_texts(struct frec_foreign_target *target, const struct frec_selection *selection)
{
	for (uint32_t i = 0; i < target->probe.arguments; i++) {
		uint8_t length = selection->length[i];

		if (!(selection->strings & 1u << i) ||
		    (length != FREC_USDT_TO_NUL && length >= target->probe.arguments))
			continue;
		target->strings |= 1u << i;
		target->length[i] = length;
	}
}

// Adds a probe and takes ownership of it, unless the probe was added for an earlier
// selection. If several selections match a probe, an argument is recorded as text if any of them
// chooses that, and the stacks are those of the last selection that chooses stacks. Returns 0 or
// -ENOMEM.
static int add_probe(struct frec_foreign_targets *targets, const struct frec_selection *selection,
		     const struct frec_program_file *file, struct frec_usdt_probe *probe)
{
	struct frec_foreign_target *known = find(targets, file, probe);

	if (known) {
		add_texts(known, selection);
		if (selection->stack.is_set)
			known->stack = selection->stack;
		return 0;
	}
	if (!frec__grow(&targets->target, targets->count, sizeof(*targets->target)))
		return -ENOMEM;
	known = &targets->target[targets->count++];
	*known = (struct frec_foreign_target){
		.selection = selection, .file = *file, .probe = *probe, .stack = selection->stack};
	add_texts(known, selection);
	*probe = (struct frec_usdt_probe){0};
	return 0;
}

// What the files of a selection have.
struct found {
	int probes;
	uint32_t arguments; /* the maximum of all probes */
	/* a file whose probes are those of another machine, and its word size; else 0 */
	const char *other_path;
	uint32_t other_machine;
};

static int add_file(struct frec_foreign_targets *targets, const struct frec_selection *selection,
		    const struct frec_program_file *file, struct found *found,
		    struct frec_error *reterr)
{
	struct frec_usdt_probes probes = {0};
	int r = frec__stapsdt_read(&probes, file->fd, file->path, selection->provider,
				   selection->name);

	found->probes += r ? 0 : (int)probes.count;
	if (probes.other_machine) {
		found->other_machine = probes.other_machine;
		found->other_path = file->path;
	}
	for (size_t i = 0; i < probes.count && !r; i++) {
		if (probes.probe[i].arguments > found->arguments)
			found->arguments = probes.probe[i].arguments;
		r = add_probe(targets, selection, file, &probes.probe[i]);
	}
	frec__usdt_probes_deinit(&probes);
	// Any user can run a file with too many probes, or one that cannot be read, under the
	// selected name, so this must not stop the recorder.
	if (r == -E2BIG)
		frec__report(LOG_WARNING, "-e %s: %s has more than %d probes: it is skipped",
			     selection->text, file->path, FREC_USDT_SITES_MAX);
	if (r == -E2BIG || r == -EIO)
		return 0;
	return r ? frec__limit_error(reterr, r, 0, "-e %s: %s", selection->text, file->path) : 0;
}

static const char *machine_name(uint32_t bits)
{
	return bits == 32 ? "a 32-bit program" : "a program of another machine";
}

// Returns the largest number of an argument that the selection names, plus one.
static uint32_t arguments_named(const struct frec_selection *selection)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < FREC_USDT_ARGUMENTS_MAX; i++) {
		uint32_t length = selection->length[i];

		if (!(selection->strings & 1u << i))
			continue;
		count = i + 1 > count ? i + 1 : count;
		count = length != FREC_USDT_TO_NUL && length + 1 > count ? length + 1 : count;
	}
	return count;
}

// Fails if no probe matches, or if the selection names an argument that none of the matching probes
// has.
static int check(const struct frec_selection *selection, const struct frec_program_files *files,
		 const struct found *found, struct frec_error *reterr)
{
	if (!found->probes && found->other_machine)
		return frec__error(
			reterr, -ENOEXEC, "-e %s: %s is %s: this recorder cannot record its probes",
			selection->text, found->other_path, machine_name(found->other_machine));
	if (found->other_machine)
		frec__report(LOG_WARNING, "-e %s: %s is %s: its probes are not recorded",
			     selection->text, found->other_path,
			     machine_name(found->other_machine));
	if (!found->probes && !strcmp(selection->provider, "*") && !strcmp(selection->name, "*"))
		return frec__error(reterr, -ENOENT, "-e %s: %s has no USDT probes", selection->text,
				   files->file[0].path);
	if (!found->probes)
		return frec__error(reterr, -ENOENT,
				   "-e %s: %s%s has no such probe: 'flightrec events "
				   "\"usdt:%s:*:*\"' lists what there is",
				   selection->text, files->file[0].path,
				   files->count > 1 ? ", or another of that name," : "",
				   selection->file);
	if (arguments_named(selection) > found->arguments)
		return frec__error(reterr, -EINVAL,
				   "-e %s: no matching probe has more than %" PRIu32
				   " arguments, numbered from arg0",
				   selection->text, found->arguments);
	return 0;
}

int frec__foreign_targets_add(struct frec_foreign_targets *targets,
			      const struct frec_selection *selection, struct frec_error *reterr)
{
	struct frec_program_files *files;
	struct frec_error error = {0};
	struct found found = {0};
	int r;

	if (!frec__grow(&targets->of_selection, targets->files, sizeof(*files)))
		return frec__error(reterr, -ENOMEM, "out of memory");
	files = &targets->of_selection[targets->files++];
	*files = (struct frec_program_files){0};
	r = frec__program_files_find(files, selection->file, &error);
	if (r)
		return frec__error(reterr, r, "-e %s: %s", selection->text, error.message);
	for (size_t i = 0; i < files->count; i++) {
		r = add_file(targets, selection, &files->file[i], &found, reterr);
		if (r)
			return r;
	}
	return check(selection, files, &found, reterr);
}

void frec__foreign_targets_deinit(struct frec_foreign_targets *targets)
{
	for (size_t i = 0; i < targets->count; i++)
		frec__usdt_probe_deinit(&targets->target[i].probe);
	free(targets->target);
	for (size_t i = 0; i < targets->files; i++)
		frec__program_files_deinit(&targets->of_selection[i]);
	free(targets->of_selection);
	*targets = (struct frec_foreign_targets){0};
}

// If the path is too long for the name, its start is cut off, because the end identifies the file.
static void set_kernel_name(struct frec_listed *listed, const struct frec_foreign_target *target)
{
	size_t room = sizeof(listed->kernel_name) - 3,
	       rest = strlen(listed->system) + strlen(listed->name);
	const char *path = target->file.path;
	size_t length = strlen(path);

	room = room > rest ? room - rest : 0;
	snprintf(listed->kernel_name, sizeof(listed->kernel_name), "%s:%s:%s",
		 length > room ? path + length - room : path, listed->system, listed->name);
}

static struct frec_field *add_field(struct frec_format *format,
				    const struct frec_foreign_target *target, uint32_t n)
{
	const struct frec_usdt_probe *probe = &target->probe;
	uint32_t offset = FREC_FOREIGN_ARGUMENT_OFFSET(n), size = 8;
	Flightrec__FieldKind kind = FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED;
	const char *type = "u64";
	struct frec_field *field;
	char name[16];

	snprintf(name, sizeof(name), "arg%" PRIu32, n);
	if (target->strings & 1u << n) {
		kind = FLIGHTREC__FIELD_KIND__FIELD_STRING;
		type = "__rel_loc char[]";
		size = 4;
	} else if (probe->float_size[n]) {
		kind = FLIGHTREC__FIELD_KIND__FIELD_FLOAT;
		size = probe->float_size[n];
		type = size == 8 ? "double" : "float";
	} else if (probe->is_signed & 1u << n) {
		kind = FLIGHTREC__FIELD_KIND__FIELD_SIGNED;
		type = "s64";
	}
	field = frec__format_add(format, name, type, kind, offset, size);
	if (!field)
		return NULL;
	if (target->strings & 1u << n) {
		field->locator = FLIGHTREC__LOCATOR__LOCATOR_RELATIVE;
		field->counted = target->length[n] != FREC_USDT_TO_NUL;
	}
	field->absent_bit = FREC_USDT_ABSENT_OFFSET(probe->arguments) * 8 + n;
	return field;
}

int frec__foreign_target_describe(const struct frec_foreign_target *target,
				  struct frec_listed *listed, struct frec_format *format)
{
	const struct frec_usdt_probe *probe = &target->probe;

	*listed =
		(struct frec_listed){.kind = FLIGHTREC__SOURCE_KIND__SOURCE_USDT, .group = "usdt"};
	snprintf(listed->system, sizeof(listed->system), "%s", probe->provider);
	snprintf(listed->name, sizeof(listed->name), "%s", probe->name);
	set_kernel_name(listed, target);
	*format = (struct frec_format){0};
	for (uint32_t i = 0; i < probe->arguments; i++) {
		if (!add_field(format, target, i)) {
			frec__format_deinit(format);
			return -ENOMEM;
		}
	}
	return 0;
}

struct frec_usdt_slot frec__foreign_target_slot(const struct frec_foreign_target *target)
{
	uint32_t texts = (uint32_t)__builtin_popcount(target->strings);
	uint32_t room = FREC_BPF_RECORD_MAX - FREC_USDT_TEXTS_OFFSET(target->probe.arguments);
	struct frec_usdt_slot slot = {.arguments = target->probe.arguments,
				      .texts = target->strings};

	room = texts ? room / texts : room;
	slot.text_size = room > FREC_FOREIGN_TEXT_MAX ? FREC_FOREIGN_TEXT_MAX : room;
	memcpy(slot.length, target->length, sizeof(slot.length));
	return slot;
}
