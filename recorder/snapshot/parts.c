// SPDX-License-Identifier: MIT
// Fills in the protobuf messages of a .frec file.
#include "recorder/snapshot/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/clocks.h"
#include "proto/read_file.h"
#include "recorder/snapshot/crash_state.h"

#define ARGUMENTS_MAX 256
// How many forks may lie between a process and the one whose tags it has.
#define TAGGED_DEPTH_MAX 16

int frec__parts_write(struct frec_parts *parts, enum frec_part part,
		      const ProtobufCMessage *message)
{
	FREC_FREE uint8_t *data = NULL;
	size_t size;
	int r;

	if (parts->error.code)
		return parts->error.code;
	r = frec__part_pack(part, message, &data, &size);
	if (r)
		return frec__error(&parts->error, r, "%s: %s", parts->file.path,
				   r == -ENOMEM ? "out of memory" : "a part is too large");
	parts->count++;
	return frec__new_file_write(&parts->file, data, size, &parts->error);
}

static ProtobufCBinaryData bytes(const char *text)
{
	return (ProtobufCBinaryData){.len = text ? strlen(text) : 0, .data = (uint8_t *)text};
}

static size_t split_cmdline(const struct frec_process *process, ProtobufCBinaryData *ret,
			    size_t room)
{
	size_t count = 0, from = 0;

	for (size_t i = 0; i < process->cmdline_size && count < room; i++) {
		bool last = i + 1 == process->cmdline_size;

		if (process->cmdline[i] && !last)
			continue;
		ret[count].data = (uint8_t *)process->cmdline + from;
		ret[count++].len = i - from + (process->cmdline[i] ? 1 : 0);
		from = i + 1;
	}
	return count;
}

static char *first_line(const char *path)
{
	char *text = frec__read_file_at(AT_FDCWD, path, 4096);

	if (text)
		text[strcspn(text, "\n")] = 0;
	return text;
}

void frec__parts_write_header(struct frec_parts *parts, const struct frec_snapshot_job *snapshot)
{
	Flightrec__Header header = FLIGHTREC__HEADER__INIT;
	Flightrec__Host host = FLIGHTREC__HOST__INIT;
	FREC_FREE char *boot_id = first_line("/proc/sys/kernel/random/boot_id");
	struct frec_pair_messages tags;
	struct utsname name;

	uname(&name);
	host.hostname = bytes(name.nodename);
	host.kernel_release = name.release;
	host.kernel_version = name.version;
	host.boot_id = boot_id ? boot_id : "";
	host.cpus_online = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	host.cpus_possible = (uint32_t)sysconf(_SC_NPROCESSORS_CONF);
	host.page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	header.magic = bytes("FREC");
	header.version = 1;
	header.writer = "flightrec " FREC_VERSION;
	header.host = &host;
	// What the recorder's owner records is no other user's business.
	if (snapshot->only_uid < 0)
		header.selection = (char **)snapshot->selection;
	while (header.selection && header.selection[header.n_selection])
		header.n_selection++;
	header.ring_size = snapshot->ring_count ? snapshot->rings[0].size : 0;
	header.recording_since = snapshot->recording_since;
	if (snapshot->only_uid >= 0) {
		header.filter_case = FLIGHTREC__HEADER__FILTER_ONLY_UID;
		header.only_uid = (uint32_t)snapshot->only_uid;
	}
	header.machine = name.machine;
	if (snapshot->tags) {
		frec__pairs_to_messages(snapshot->tags->text, snapshot->tags->size, &tags);
		header.n_tag = tags.count;
		header.tag = tags.pointer;
	}
	frec__parts_write(parts, FREC_PART_HEADER, &header.base);
}

void frec__parts_write_summary(struct frec_parts *parts, const struct frec_snapshot_job *snapshot,
			       const struct frec_crash_state *state, uint64_t records)
{
	const struct frec_reason *reason = snapshot->reason;
	const struct frec_process *process = frec__snapshot_victim(snapshot);
	Flightrec__Summary summary = FLIGHTREC__SUMMARY__INIT;

	summary.kind = reason->kind;
	summary.subject = bytes(!reason->pid ? reason->name : process ? process->name : "");
	summary.signal = reason->signal;
	summary.records = records;
	summary.crash_state = state->registers.count || state->stack.size;
	frec__parts_write(parts, FREC_PART_SUMMARY, &summary.base);
}

static void write_clock(struct frec_parts *parts, const struct frec_clocks *reading,
			Flightrec__Clocks__When when)
{
	Flightrec__Clocks clocks = FLIGHTREC__CLOCKS__INIT;

	clocks.when = when;
	clocks.monotonic = reading->monotonic;
	clocks.boottime = reading->boottime;
	clocks.realtime = reading->realtime;
	clocks.uncertainty = reading->uncertainty;
	frec__parts_write(parts, FREC_PART_CLOCKS, &clocks.base);
}

void frec__parts_write_clocks(struct frec_parts *parts, const struct frec_snapshot_job *snapshot)
{
	write_clock(parts, snapshot->start, FLIGHTREC__CLOCKS__WHEN__START);
	write_clock(parts, &snapshot->capture->clocks, FLIGHTREC__CLOCKS__WHEN__SNAPSHOT);
}

void frec__parts_write_trigger(struct frec_parts *parts, const struct frec_snapshot_job *snapshot)
{
	const struct frec_reason *reason = snapshot->reason;
	Flightrec__Trigger trigger = FLIGHTREC__TRIGGER__INIT;
	struct frec_pair_messages fields;

	trigger.kind = reason->kind;
	trigger.name = (char *)reason->name;
	trigger.time = reason->time;
	trigger.copied = snapshot->capture->began;
	trigger.copy_duration = snapshot->capture->duration;
	trigger.requested_by_pid = reason->by_pid;
	trigger.requested_by_uid = reason->by_uid;
	if (reason->fields) {
		frec__pairs_to_messages(reason->fields->text, reason->fields->size, &fields);
		trigger.n_field = fields.count;
		trigger.field = fields.pointer;
	}
	trigger.coalesced = reason->coalesced;
	trigger.coalesced_since = reason->coalesced_since;
	frec__parts_write(parts, FREC_PART_TRIGGER, &trigger.base);
}

// Fills in what the recorder itself knows about the death.
static void set_death(Flightrec__Crash *crash, const struct frec_reason *reason)
{
	crash->pid = reason->pid;
	crash->tid = reason->tid;
	crash->signal = reason->signal;
	if (!reason->code_unknown) {
		crash->how_case = FLIGHTREC__CRASH__HOW_CODE;
		crash->code = reason->code;
	}
	if (reason->kind != FLIGHTREC__TRIGGER__KIND__GONE) {
		crash->end_case = FLIGHTREC__CRASH__END_EXIT_STATUS;
		crash->exit_status = reason->exit_status;
	}
	crash->time = reason->time;
	crash->sender_pid = reason->sender;
}

// Sets name and arguments of the process, and the name of the thread. `arguments` has ARGUMENTS_MAX
// elements.
static void set_victim(Flightrec__Crash *crash, const struct frec_process *process,
		       ProtobufCBinaryData *arguments)
{
	crash->process_name = bytes(process->name);
	crash->n_cmdline = split_cmdline(process, arguments, ARGUMENTS_MAX);
	crash->cmdline = arguments;
	for (size_t i = 0; i < process->threads; i++) {
		if (process->thread[i].tid == crash->tid)
			crash->thread_name = bytes(process->thread[i].name);
	}
}

static void set_piece(Flightrec__Stack *to, uint64_t address, const uint8_t *data, size_t size)
{
	flightrec__stack__init(to);
	to->address = address;
	to->data.data = (uint8_t *)(uintptr_t)data;
	to->data.len = size;
}

void frec__parts_write_crash(struct frec_parts *parts, const struct frec_snapshot_job *snapshot,
			     const struct frec_crash_state *state)
{
	const struct frec_reason *reason = snapshot->reason;
	const struct frec_process *process, *sender;
	Flightrec__Crash crash = FLIGHTREC__CRASH__INIT;
	Flightrec__Registers registers = FLIGHTREC__REGISTERS__INIT;
	Flightrec__Stack stack, other[FREC_CRASH_PAGES], *others[FREC_CRASH_PAGES];
	ProtobufCBinaryData arguments[ARGUMENTS_MAX];

	if (!reason->pid)
		return;
	process = frec__snapshot_victim(snapshot);
	set_death(&crash, reason);
	crash.stacks_missing = snapshot->stacks ? snapshot->stacks->missing : 0;
	if (process)
		set_victim(&crash, process, arguments);
	if (state->time)
		crash.time = state->time;
	registers.mask = state->registers.mask;
	registers.n_value = state->registers.count;
	registers.value = (uint64_t *)state->registers.values;
	crash.registers = registers.n_value ? &registers : NULL;
	if (!snapshot->drop_stack_bytes && state->stack.size) {
		crash.stack = &stack;
		set_piece(&stack, state->stack.address, state->stack.data, state->stack.size);
		crash.other_stack = others;
		crash.n_other_stack = state->stack.pieces;
	}
	for (size_t i = 0; i < crash.n_other_stack; i++) {
		const struct frec_stack_piece *piece = &state->piece[i];

		others[i] = &other[i];
		set_piece(&other[i], piece->address, piece->data, piece->size);
	}
	if (state->details_known && state->code > 0) {
		crash.fault_case = FLIGHTREC__CRASH__FAULT_ADDRESS;
		crash.address = state->address;
	} else if (state->details_known) {
		crash.sender_pid = state->sender_pid;
	}
	sender = crash.sender_pid ? frec__process_table_find(snapshot->processes, crash.sender_pid)
				  : NULL;
	if (sender && frec__owner_shows(&sender->owner, snapshot->only_uid))
		crash.sender_name = bytes(sender->name);
	frec__parts_write(parts, FREC_PART_CRASH, &crash.base);
}

// If memory runs out, the enumerators are left out. The caller frees to->enumerator.
static void set_field(Flightrec__Field *to, const struct frec_field *from)
{
	Flightrec__Enumerator *all;

	flightrec__field__init(to);
	to->name = from->name;
	to->kind = from->kind;
	to->offset = from->offset;
	to->size = from->size;
	to->locator = from->locator;
	to->counted = from->counted;
	to->absent_bit = from->absent_bit;
	to->element_size = from->element_size;
	to->element_signed = from->element_signed;
	to->type = from->type;
	if (!from->enumerators)
		return;
	to->enumerator =
		calloc(from->enumerators, sizeof(*to->enumerator) + sizeof(**to->enumerator));
	if (!to->enumerator)
		return;
	all = (void *)(to->enumerator + from->enumerators);
	for (size_t i = 0; i < from->enumerators; i++) {
		flightrec__enumerator__init(&all[i]);
		all[i].value = from->enumerator[i].value;
		all[i].name = from->enumerator[i].name;
		to->enumerator[i] = &all[i];
	}
	to->n_enumerator = from->enumerators;
}

void frec__parts_write_source(struct frec_parts *parts, const struct frec_source *source,
			      uint32_t id, bool unwound, int64_t claimed_by)
{
	const struct frec_format *format = &source->format;
	Flightrec__Source message = FLIGHTREC__SOURCE__INIT;
	FREC_FREE Flightrec__Field *fields = calloc(format->count + 1, sizeof(*fields));
	FREC_FREE Flightrec__Field **pointers = calloc(format->count + 1, sizeof(*pointers));
	char kernel_name[sizeof(source->listed.group) + sizeof(source->listed.kernel_name)];
	char claimed[sizeof(source->listed.name) + 32];

	if (!fields || !pointers) {
		frec__error(&parts->error, -ENOMEM, "%s: out of memory", parts->file.path);
		return;
	}
	for (size_t i = 0; i < format->count; i++) {
		set_field(&fields[i], &format->field[i]);
		pointers[i] = &fields[i];
	}
	snprintf(kernel_name, sizeof(kernel_name), "%s:%s", source->listed.group,
		 source->listed.kernel_name);
	message.id = id;
	message.kind = source->listed.kind;
	message.system = (char *)source->listed.system;
	message.name = (char *)source->listed.name;
	if (claimed_by >= 0) {
		snprintf(claimed, sizeof(claimed), "%s-claimed-by-%u", source->listed.name,
			 (uint32_t)claimed_by);
		message.name = claimed;
		message.claim_case = FLIGHTREC__SOURCE__CLAIM_CLAIMED_BY_UID;
		message.claimed_by_uid = (uint32_t)claimed_by;
	}
	message.kernel_name = kernel_name;
	message.tracepoint_id = format->id;
	message.n_field = format->count;
	message.field = pointers;
	message.format = source->format_text ? source->format_text : "";
	message.filter = source->filter ? (char *)source->filter : "";
	message.sample_type = source->sample_type;
	message.sample_regs_user = source->sample_regs_user;
	if (unwound) {
		message.sample_type &= ~(uint64_t)(PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER);
		message.sample_regs_user = 0;
	}
	message.unwound = unwound;
	message.counts_records = source->counts_records;
	message.transport = source->transport;
	message.since = source->since;
	frec__parts_write(parts, FREC_PART_SOURCE, &message.base);
	for (size_t i = 0; i < format->count; i++)
		free(fields[i].enumerator);
}

static void set_thread(Flightrec__Thread *to, const struct frec_thread *from)
{
	flightrec__thread__init(to);
	to->tid = from->tid;
	to->name = bytes(from->name);
	to->start = from->start;
	to->exit = from->exit;
}

static void set_map(Flightrec__Map *to, const struct frec_mapping *from)
{
	flightrec__map__init(to);
	to->start = from->start;
	to->end = from->end;
	to->offset = from->offset;
	to->since = from->since;
	to->path = bytes(from->path);
	to->build_id.len = from->build_id_size;
	to->build_id.data = (uint8_t *)from->build_id;
}

// Returns the process whose tags count for `process`: `process` itself if it has tags, else its
// nearest ancestor with tags, because a service sets its tags before it forks. All processes in
// between run the same program and, in a file for one user, belong to that user. Returns NULL if
// there is no such process.
static const struct frec_process *tagged(const struct frec_snapshot_job *snapshot,
					 const struct frec_process *process)
{
	const struct frec_process *at = process;

	for (int depth = 0; at && !at->tags && depth < TAGGED_DEPTH_MAX; depth++) {
		const struct frec_process *parent = at->parent;

		if (!parent || !parent->executable || !process->executable ||
		    strcmp(parent->executable, process->executable) != 0 ||
		    !frec__owner_shows(&parent->owner, snapshot->only_uid))
			return NULL;
		at = parent;
	}
	return at && at->tags ? at : NULL;
}

static void write_process(struct frec_parts *parts, const struct frec_snapshot_job *snapshot,
			  const struct frec_process *process, bool with_maps)
{
	const struct frec_process *named = tagged(snapshot, process);
	struct frec_pair_messages tags;
	Flightrec__Process message = FLIGHTREC__PROCESS__INIT;
	size_t maps = with_maps ? process->maps : 0;
	FREC_FREE Flightrec__Thread *threads = calloc(process->threads + 1, sizeof(*threads));
	FREC_FREE Flightrec__Thread **thread = calloc(process->threads + 1, sizeof(*thread));
	FREC_FREE Flightrec__Map *map_list = calloc(maps + 1, sizeof(*map_list));
	FREC_FREE Flightrec__Map **map = calloc(maps + 1, sizeof(*map));
	ProtobufCBinaryData arguments[ARGUMENTS_MAX];

	if (!threads || !thread || !map_list || !map) {
		frec__error(&parts->error, -ENOMEM, "%s: out of memory", parts->file.path);
		return;
	}
	message.pid = process->pid;
	message.ppid = process->ppid;
	if (process->owner.known) {
		message.owner_case = FLIGHTREC__PROCESS__OWNER_UID;
		message.uid = process->owner.uid;
	}
	message.name = bytes(process->name);
	message.n_cmdline = split_cmdline(process, arguments, ARGUMENTS_MAX);
	message.cmdline = arguments;
	message.executable = bytes(process->executable);
	message.start = process->start;
	message.exit = process->exit;
	message.kernel = process->kernel;
	if (named) {
		frec__pairs_to_messages(named->tags, named->tags_size, &tags);
		message.n_tag = tags.count;
		message.tag = tags.pointer;
	}
	message.threads_missing = process->threads_missing;
	message.maps_missing = process->maps_missing;
	for (size_t i = 0; i < process->threads; i++) {
		thread[i] = &threads[i];
		set_thread(thread[i], &process->thread[i]);
	}
	message.n_thread = process->threads;
	message.thread = thread;
	for (size_t i = 0; i < maps; i++) {
		map[i] = &map_list[i];
		set_map(map[i], &process->map[i]);
	}
	message.n_map = maps;
	message.map = map;
	frec__parts_write(parts, FREC_PART_PROCESS, &message.base);
}

void frec__parts_write_processes(struct frec_parts *parts, const struct frec_snapshot_job *snapshot,
				 const struct frec_crash_finder *finder, uint64_t oldest)
{
	for (size_t i = 0; i < FREC_PROCESS_BUCKETS; i++) {
		const struct frec_process *process = snapshot->processes->bucket[i];

		for (; process; process = process->next) {
			bool mentioned = frec__crash_finder_mentioned(finder, process->pid);

			if (process->exit && process->exit < oldest)
				continue;
			// A file for one user has only that user's processes.
			if (!frec__owner_shows(&process->owner, snapshot->only_uid))
				continue;
			write_process(parts, snapshot, process, mentioned);
		}
	}
}
