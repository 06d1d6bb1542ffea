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

static uint32_t existing_arguments(uint32_t strings, const struct frec_usdt_probe *probe)
{
	return strings & ((1u << probe->arguments) - 1);
}

// Adds a probe and takes ownership of its names, unless the probe was added for an earlier
// selection. If several selections match a probe, an argument is recorded as text if any of them
// chooses that, and the stacks are those of the last selection that chooses stacks. Returns 0 or
// -ENOMEM.
static int add_probe(struct frec_foreign_targets *targets, const struct frec_selection *selection,
		     const struct frec_program_file *file, struct frec_usdt_probe *probe)
{
	struct frec_foreign_target *known = find(targets, file, probe);

	if (known) {
		known->strings |= existing_arguments(selection->strings, probe);
		if (selection->stack.is_set)
			known->stack = selection->stack;
		return 0;
	}
	if (!frec__grow(&targets->target, targets->count, sizeof(*targets->target)))
		return -ENOMEM;
	targets->target[targets->count++] = (struct frec_foreign_target){
		.selection = selection,
		.file = *file,
		.probe = *probe,
		.strings = existing_arguments(selection->strings, probe),
		.stack = selection->stack};
	probe->provider = probe->name = NULL;
	return 0;
}

static int add_file(struct frec_foreign_targets *targets, const struct frec_selection *selection,
		    const struct frec_program_file *file, uint32_t *arguments,
		    struct frec_error *reterr)
{
	struct frec_usdt_probes probes = {0};
	int r = frec__stapsdt_read(&probes, file->fd, file->path, selection->provider,
				   selection->name);
	int found = (int)probes.count;

	for (size_t i = 0; i < probes.count && !r; i++) {
		if (probes.probe[i].arguments > *arguments)
			*arguments = probes.probe[i].arguments;
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
	return r ? frec__limit_error(reterr, r, 0, "-e %s: %s", selection->text, file->path)
		 : found;
}

// Fails if no probe matches, or if the selection chooses as text an argument that none of the
// matching probes has.
static int check(const struct frec_selection *selection, const struct frec_program_files *files,
		 int found, uint32_t arguments, struct frec_error *reterr)
{
	if (!found && !strcmp(selection->provider, "*") && !strcmp(selection->name, "*"))
		return frec__error(reterr, -ENOENT, "-e %s: %s has no USDT probes", selection->text,
				   files->file[0].path);
	if (!found)
		return frec__error(reterr, -ENOENT,
				   "-e %s: %s%s has no such probe: 'flightrec events "
				   "\"usdt:%s:*:*\"' lists what there is",
				   selection->text, files->file[0].path,
				   files->count > 1 ? ", or another of that name," : "",
				   selection->file);
	if (selection->strings >> arguments)
		return frec__error(reterr, -EINVAL,
				   "-e %s: no matching probe has more than %" PRIu32
				   " arguments, numbered from arg0",
				   selection->text, arguments);
	return 0;
}

int frec__foreign_targets_add(struct frec_foreign_targets *targets,
			      const struct frec_selection *selection, struct frec_error *reterr)
{
	struct frec_program_files *files;
	struct frec_error error = {0};
	uint32_t arguments = 0;
	int r, found = 0;

	if (!frec__grow(&targets->of_selection, targets->files, sizeof(*files)))
		return frec__error(reterr, -ENOMEM, "out of memory");
	files = &targets->of_selection[targets->files++];
	*files = (struct frec_program_files){0};
	r = frec__program_files_find(files, selection->file, &error);
	if (r)
		return frec__error(reterr, r, "-e %s: %s", selection->text, error.message);
	for (size_t i = 0; i < files->count; i++) {
		r = add_file(targets, selection, &files->file[i], &arguments, reterr);
		if (r < 0)
			return r;
		found += r;
	}
	return check(selection, files, found, arguments, reterr);
}

void frec__foreign_targets_deinit(struct frec_foreign_targets *targets)
{
	for (size_t i = 0; i < targets->count; i++) {
		free(targets->target[i].probe.provider);
		free(targets->target[i].probe.name);
	}
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
		bool is_signed = probe->is_signed & 1u << i, is_text = target->strings & 1u << i;
		struct frec_field *field;
		char name[16];

		snprintf(name, sizeof(name), "arg%" PRIu32, i);
		if (is_text)
			field = frec__format_add(format, name, "__rel_loc char[]",
						 FLIGHTREC__FIELD_KIND__FIELD_STRING,
						 FREC_FOREIGN_ARGUMENT_OFFSET(i), 4);
		else
			field = frec__format_add(format, name, is_signed ? "s64" : "u64",
						 is_signed ? FLIGHTREC__FIELD_KIND__FIELD_SIGNED
							   : FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED,
						 FREC_FOREIGN_ARGUMENT_OFFSET(i), 8);
		if (!field) {
			frec__format_deinit(format);
			return -ENOMEM;
		}
		if (is_text)
			field->locator = FLIGHTREC__LOCATOR__LOCATOR_RELATIVE;
	}
	return 0;
}

struct frec_usdt_slot frec__foreign_target_slot(const struct frec_foreign_target *target)
{
	uint32_t texts = (uint32_t)__builtin_popcount(target->strings);
	uint32_t room = FREC_BPF_RECORD_MAX - FREC_FOREIGN_ARGUMENT_OFFSET(target->probe.arguments);

	room = texts ? room / texts : room;
	return (struct frec_usdt_slot){
		.arguments = target->probe.arguments,
		.texts = target->strings,
		.text_size = room > FREC_FOREIGN_TEXT_MAX ? FREC_FOREIGN_TEXT_MAX : room};
}
