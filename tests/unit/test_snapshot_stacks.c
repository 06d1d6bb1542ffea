// SPDX-License-Identifier: MIT
// Proves that a file without stack bytes has the right frames in their place, that it has nothing
// else of the stacks, whatever they look like, and that it passes every check of verify; and that a
// file with stack bytes keeps everything. If reading a program file hangs or kills the reader, the
// snapshot is written nevertheless.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dwarf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zstd.h>

#include "proto/clocks.h"
#include "recorder/rings/perf_ring.h"
#include "recorder/rings/registers.h"
#include "recorder/worker/sandbox.h"
#include "recorder/sources/crash_record.h"
#include "recorder/snapshot/kernel_names.h"
#include "recorder/snapshot/sample_parts.h"
#include "recorder/snapshot/snapshot.h"
#include "recorder/snapshot/stacks.h"
#include "tests/data/pipeline.h"
#include "tests/unwind/make_elf.h"
#include "unwind/unwind.h"

#define BIAS 0x555500000000
#define STACK 0x7ffc00000000
#define SECRET UINT64_C(0x00005ec2e7c0ffee) // a canonical address
#define PID 7u
#define ROOM (256u << 10)

enum { STACKED, CRASH, DETAILS, PLAIN, SOURCES };

static const char format_text[] = "name: test__tick\nID: 77\nformat:\n"
				  "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
				  "\tfield:u64 number;\toffset:8;\tsize:8;\tsigned:0;\n";

static struct frec_source sources[SOURCES];
static struct frec_ring ring = {.type = &frec__perf_ring_type, .cpu = 0, .fd = -1, .size = ROOM};
static struct frec_ring_copy copy;
static struct frec_count counts[SOURCES];
static uint32_t offsets[ROOM / FREC_RECORD_SIZE_MIN];
static struct frec_capture capture = {.rings = 1,
				      .copy = &copy,
				      .sources = SOURCES,
				      .before = counts,
				      .after = counts,
				      .complete_until = 5000,
				      .clocks = {5000, 5000, 5000, 1},
				      .offset = offsets};
static struct frec_process_table processes;
static char program[64];
static uint8_t records[ROOM], *file_bytes;
static size_t file_size;
static int held = -1; // of fanotify: while it is open, opening the program blocks
static uint64_t now = 1000;

static void make_program(void)
{
	static const uint8_t start[] = {DW_CFA_def_cfa, 7, 8, DW_CFA_offset | 16, 1};
	static const uint8_t locals[] = {DW_CFA_def_cfa_offset, 24};
	static const uint8_t outermost[] = {DW_CFA_undefined, 16};
	static struct made_elf elf;
	struct made_cfi cfi = {.size = 0};
	size_t cie = add_cie(&cfi, 16, 0, start, sizeof(start));

	add_fde(&cfi, cie, 0x1000, 0x100, locals, sizeof(locals));
	add_fde(&cfi, cie, 0x1300, 0x100, outermost, sizeof(outermost));
	end_cfi(&cfi);
	make_elf(&elf, frec__registers_x86_64.elf_machine, cfi.bytes, cfi.size, NULL, 0);
	assert_int_equal(write_elf(&elf, program), 0);
}

static void make_source(int number, const char *name, Flightrec__SourceKind kind, uint64_t type)
{
	static uint64_t ids[SOURCES] = {501, 502, 503, 504};
	static int closed = -1;
	struct frec_source *source = &sources[number];

	*source = (struct frec_source){.sample_type = FREC_SAMPLE_TYPE | PERF_SAMPLE_RAW | type,
				       .opened = 1,
				       .fd = &closed,
				       .perf_id = &ids[number],
				       .format_text = (char *)format_text,
				       .listed.kind = kind};
	if (type & PERF_SAMPLE_REGS_USER)
		source->sample_regs_user = frec__perf_user_registers;
	strcpy(source->listed.system, "test");
	strcpy(source->listed.name, name);
	assert_int_equal(frec__format_parse(&source->format, format_text, true, NULL), 0);
}

static int setup(void **state)
{
	const uint64_t stack = PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;

	(void)state;
	make_program();
	make_source(STACKED, "stacked", FLIGHTREC__SOURCE_KIND__SOURCE_EVENT,
		    PERF_SAMPLE_PERIOD | PERF_SAMPLE_CALLCHAIN | stack);
	make_source(CRASH, "crash", FLIGHTREC__SOURCE_KIND__SOURCE_TRACEPOINT, stack);
	make_source(DETAILS, "details", FLIGHTREC__SOURCE_KIND__SOURCE_CRASH, 0);
	make_source(PLAIN, "plain", FLIGHTREC__SOURCE_KIND__SOURCE_EVENT, 0);
	sources[CRASH].filter = "sig==11";
	sources[DETAILS].format.id = 0; // not from a tracepoint
	frec__process_table_fork(&processes, PID, 1, PID, 10);
	frec__process_table_comm(&processes, PID, PID, "program", false, 10);
	frec__process_table_map(&processes, PID,
				&(struct frec_mapping){.start = BIAS + 0x1000,
						       .end = BIAS + 0x2000,
						       .offset = 0x1000,
						       .path = program});
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < SOURCES; i++)
		frec__format_deinit(&sources[i].format);
	frec__process_table_deinit(&processes);
	unlink(program);
	return 0;
}

struct made {
	uint8_t bytes[FREC_RECORD_SIZE_MAX];
	size_t size;
};

static void add(struct made *made, const void *data, size_t size)
{
	memcpy(made->bytes + made->size, data, size);
	made->size += size;
}

static void add_u64(struct made *made, uint64_t value)
{
	add(made, &value, sizeof(value));
}

// Puts the record before all older ones, as in a copy of a ring.
static void put(struct made *made, int source)
{
	((struct frec_sample *)made->bytes)->header.size = (uint16_t)made->size;
	memmove(records + made->size, records, copy.valid);
	memcpy(records, made->bytes, made->size);
	copy.valid += made->size;
	copy.written += made->size;
	counts[source].value++;
}

static void begin(struct made *made, int source, uint32_t pid)
{
	const struct frec_sample head = {.header = {.type = PERF_RECORD_SAMPLE},
					 .id = sources[source].perf_id[0],
					 .pid = pid,
					 .tid = pid,
					 .time = ++now};

	made->size = 0;
	add(made, &head, offsetof(struct frec_sample, raw_size));
	if (sources[source].sample_type & PERF_SAMPLE_PERIOD)
		add_u64(made, 1);
	if (sources[source].sample_type & PERF_SAMPLE_CALLCHAIN) {
		add_u64(made, 2);
		add_u64(made, (uint64_t)PERF_CONTEXT_KERNEL);
		add_u64(made, 0xffffffff81000010);
	}
}

static void add_payload(struct made *made)
{
	const struct {
		uint32_t size;
		uint16_t type;
		uint16_t flags;
		int32_t pid;
		uint64_t number;
	} __attribute__((packed)) raw = {20, 77, 0, PID, now};

	add(made, &raw, sizeof(raw));
	made->size += 4; // padding
}

static void add_stack(struct made *made, uint64_t pc, const uint64_t *words, size_t count)
{
	add_u64(made, 2); // the ABI
	for (unsigned int i = 0; i < 64; i++) {
		if (frec__perf_user_registers >> i & 1)
			add_u64(made, i == 7 ? STACK : i == 8 ? pc : SECRET);
	}
	add_u64(made, count * 8);
	if (count) {
		add(made, words, count * 8);
		add_u64(made, count * 8);
	}
}

static void emit(int source, uint32_t pid, uint64_t pc, const uint64_t *words, size_t count)
{
	static struct made made;

	begin(&made, source, pid);
	add_payload(&made);
	if (sources[source].sample_type & PERF_SAMPLE_STACK_USER)
		add_stack(&made, pc, words, count);
	put(&made, source);
}

// A stack of two frames.
static const uint64_t sound[] = {SECRET, SECRET, BIAS + 0x1310, SECRET,
				 SECRET, SECRET, SECRET,	SECRET};

static void emit_all(void)
{
	const uint64_t overwritten[] = {SECRET, SECRET, SECRET, SECRET};
	static struct made made;
	uint32_t size = sizeof(struct frec_crash_record) + 4;
	struct frec_crash_record details = {
		.signal = 11, .code = 1, .address = 1, .pages = FREC_CRASH_PAGES};

	now = 1000;
	copy = (struct frec_ring_copy){.data = records};
	memset(counts, 0, sizeof(counts));
	emit(PLAIN, PID, 0, NULL, 0);
	emit(STACKED, PID, BIAS + 0x1010, sound, 8);
	emit(STACKED, PID, BIAS + 0x1010, overwritten, 4);
	emit(STACKED, PID + 1, BIAS + 0x1010, sound, 8); // an unknown process
	begin(&made, STACKED, PID);			 // a kernel thread has no registers
	add_payload(&made);
	add_u64(&made, 0);
	add_u64(&made, 0);
	put(&made, STACKED);
	// The kernel copied no stack bytes, but the BPF program did.
	emit(CRASH, PID, BIAS + 0x1010, NULL, 0);
	begin(&made, DETAILS, PID);
	for (size_t i = 0; i < FREC_CRASH_PAGES; i++)
		details.page[i] = STACK + (i + 1) * FREC_CRASH_PAGE;
	for (size_t i = 0; i < sizeof(details.memory); i += 8)
		memcpy(details.memory + i, &sound[0], 8);
	add(&made, &size, sizeof(size));
	add(&made, &details, sizeof(details));
	made.size += 4;
	put(&made, DETAILS);
}

static Flightrec__Snapshot *written_for(int64_t only_uid, bool drop, size_t broken)
{
	static const struct frec_reason reason = {.kind = FLIGHTREC__TRIGGER__KIND__CRASH,
						  .name = "crash",
						  .time = 2000,
						  .pid = PID,
						  .tid = PID,
						  .signal = 11,
						  .code = 1};
	static const struct frec_clocks start = {10, 10, 10, 1};
	const struct frec_snapshot_job snapshot = {.rings = &ring,
						   .ring_count = 1,
						   .sources = sources,
						   .source_count = SOURCES,
						   .capture = &capture,
						   .processes = &processes,
						   .start = &start,
						   .recording_since = 1,
						   .reason = &reason,
						   .drop_stack_bytes = drop,
						   .only_uid = only_uid};
	char path[] = "/tmp/frec-stacks-XXXXXX.frec";
	struct frec_error error = {0};
	struct pipeline_result result;
	struct stat status;
	int fd = mkstemps(path, 5);

	assert_true(fd >= 0);
	if (frec__snapshot_write(&snapshot, path, -1, &error))
		fail_msg("%s", error.message);
	if (held >= 0)
		close(held);
	held = -1;
	close(fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(fd, &status), 0);
	file_size = (size_t)status.st_size;
	file_bytes = malloc(file_size);
	assert_int_equal(read(fd, file_bytes, file_size), status.st_size);
	close(fd);
	unlink(path);
	result = pipeline_run(file_bytes, file_size);
	assert_int_equal(result.opened, 0);
	assert_int_equal(result.damaged, 0);
	assert_int_equal(result.problems, broken);
	return flightrec__snapshot__unpack(NULL, file_size, file_bytes);
}

static Flightrec__Snapshot *written(bool drop, size_t broken)
{
	return written_for(-1, drop, broken);
}

// Returns the records of the file's only part, decompressed.
static const uint8_t *chunk(const Flightrec__Snapshot *file)
{
	static uint8_t plain[ROOM];
	const Flightrec__Records *part = file->records[0];

	assert_int_equal(file->n_records, 1);
	if (part->content_case == FLIGHTREC__RECORDS__CONTENT_PLAIN)
		memcpy(plain, part->plain.data, part->plain.len);
	else
		assert_int_equal(
			ZSTD_decompress(plain, sizeof(plain), part->zstd.data, part->zstd.len),
			part->size);
	return plain;
}

static size_t secrets(const void *data, size_t size)
{
	const uint64_t secret = SECRET;
	const uint8_t *at = data, *end = at + size;
	size_t count = 0;

	for (; (at = memmem(at, (size_t)(end - at), &secret, sizeof(secret))); at++)
		count++;
	return count;
}

static uint64_t u64(const uint8_t **at)
{
	uint64_t value;

	memcpy(&value, *at, sizeof(value));
	*at += sizeof(value);
	return value;
}

// Returns what follows the payload of the record at `at`, an event of STACKED, and moves `at` to
// the next record.
static const uint8_t *frames_of(const uint8_t **at)
{
	const struct frec_sample *sample = (const void *)*at;
	const uint8_t *frames = *at + frec__sample_head(&sources[STACKED]) + 24 + 24;

	*at += sample->header.size;
	return frames;
}

static void frames_take_the_place_of_bytes(void **state)
{
	Flightrec__Snapshot *file;
	const uint8_t *at, *frames;

	(void)state;
	emit_all();
	file = written(true, 0);
	assert_non_null(file);
	assert_true(file->source[STACKED]->unwound);
	assert_false(file->source[STACKED]->sample_type &
		     (PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER));
	assert_true(file->source[STACKED]->sample_type & PERF_SAMPLE_CALLCHAIN);
	assert_int_equal(file->source[STACKED]->sample_regs_user, 0);
	assert_false(file->source[PLAIN]->unwound);
	at = chunk(file);
	assert_int_equal(secrets(at, file->records[0]->size), 0);
	at += ((const struct perf_event_header *)at)->size; // the plain one
	frames = frames_of(&at);
	assert_int_equal(u64(&frames), 2 | (uint64_t)FREC_UNWIND_COMPLETE << 32);
	assert_int_equal(u64(&frames), 0);
	assert_int_equal(u64(&frames), BIAS + 0x1010);
	assert_int_equal(u64(&frames), BIAS + 0x1310);
	assert_int_equal(u64(&frames), 4 | 1 << 8);
	// A return address that is not in code may be data, so it is left out.
	frames = frames_of(&at);
	assert_int_equal(u64(&frames), 1 | (uint64_t)FREC_UNWIND_BAD_MEMORY << 32);
	assert_int_equal(u64(&frames), 0);
	assert_int_equal(u64(&frames), BIAS + 0x1010);
	assert_int_equal(u64(&frames), 4);
	for (int i = 0; i < 2; i++) {
		frames = frames_of(&at);
		assert_int_equal(u64(&frames), (uint64_t)FREC_UNWIND_NO_REGISTERS << 32);
		assert_int_equal(u64(&frames), 0);
		assert_ptr_equal(frames, at);
	}
	flightrec__snapshot__free_unpacked(file, NULL);
	free(file_bytes);
}

static void the_crash_has_frames(void **state)
{
	Flightrec__Snapshot *file;
	Flightrec__ThreadStack *thread;

	(void)state;
	emit_all();
	for (int drop = 0; drop < 2; drop++) {
		file = written(drop, 0);
		assert_int_equal(file->n_thread_stack, 1);
		thread = file->thread_stack[0];
		assert_int_equal(thread->tid, PID);
		assert_int_equal(thread->name.len, strlen("program"));
		assert_int_equal(thread->registers->n_value, file->crash->registers->n_value);
		assert_int_equal(thread->frames->n_pc, 1);
		assert_int_equal(thread->frames->pc[0], BIAS + 0x1010);
		// The stack bytes that are available begin a page above the stack pointer.
		assert_int_equal(thread->frames->end, FLIGHTREC__STACK_END__STACK_END_BAD_MEMORY);
		assert_int_equal(thread->frames->address, drop ? 0 : STACK + 16);
		if (drop)
			assert_null(file->crash->stack);
		else
			assert_int_equal(file->crash->stack->data.len,
					 sizeof(((struct frec_crash_record *)0)->memory));
		flightrec__snapshot__free_unpacked(file, NULL);
		free(file_bytes);
	}
}

// The kernel's copy of the stack ends at a hole, or in the middle of a page that the BPF program
// has copied. `pages` is what the record claims to have, and `there` what it has.
static Flightrec__Snapshot *with_pages(uint32_t pages, size_t there, const uint64_t *addresses)
{
	const size_t head = offsetof(struct frec_crash_record, memory);
	static struct frec_crash_record details;
	static struct made made;
	uint32_t size = (uint32_t)(head + there * FREC_CRASH_PAGE + 4);

	now = 1000;
	copy = (struct frec_ring_copy){.data = records};
	memset(counts, 0, sizeof(counts));
	details = (struct frec_crash_record){.signal = 11, .code = 1, .pages = pages};
	for (size_t i = 0; i < there; i++) {
		details.page[i] = addresses[i];
		memcpy(details.memory + i * FREC_CRASH_PAGE, sound, sizeof(sound));
	}
	emit(CRASH, PID, BIAS + 0x1010, sound, 2);
	begin(&made, DETAILS, PID);
	add(&made, &size, sizeof(size));
	add(&made, &details, size - 4);
	made.size += 4;
	put(&made, DETAILS);
	return written(false, 0);
}

static void check_pieces(Flightrec__Snapshot *file, size_t count, const uint64_t *wanted)
{
	const Flightrec__Crash *crash = file->crash;

	assert_int_equal(crash->stack->address, STACK);
	assert_int_equal(crash->stack->data.len, 16);
	assert_int_equal(crash->n_other_stack, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(crash->other_stack[i]->address, wanted[2 * i]);
		assert_int_equal(crash->other_stack[i]->data.len, wanted[2 * i + 1]);
	}
	flightrec__snapshot__free_unpacked(file, NULL);
	free(file_bytes);
}

static void the_stack_has_several_pieces(void **state)
{
	const uint64_t page = FREC_CRASH_PAGE;
	const uint64_t overlapping[] = {STACK, STACK + page, STACK + 5 * page};
	const uint64_t down[] = {STACK + 9 * page, STACK + 8 * page, STACK + 8 * page};
	const uint64_t far[] = {0x1000, UINT64_MAX - page + 1, STACK + page};
	Flightrec__Snapshot *file = with_pages(3, 3, overlapping);

	(void)state;
	// The return address is in the page, behind what the kernel has copied.
	assert_int_equal(file->thread_stack[0]->frames->n_pc, 2);
	assert_int_equal(file->thread_stack[0]->frames->end,
			 FLIGHTREC__STACK_END__STACK_END_COMPLETE);
	check_pieces(file, 2, (uint64_t[]){STACK + 16, 2 * page - 16, STACK + 5 * page, page});
	// The second copy of a page is left out.
	check_pieces(with_pages(3, 3, down), 2,
		     (uint64_t[]){STACK + 8 * page, page, STACK + 9 * page, page});
	file = with_pages(3, 3, far);
	assert_int_equal(file->thread_stack[0]->frames->end,
			 FLIGHTREC__STACK_END__STACK_END_TRUNCATED);
	assert_int_equal(file->thread_stack[0]->frames->address, STACK + 16);
	check_pieces(file, 3,
		     (uint64_t[]){0x1000, page, STACK + page, page, UINT64_MAX - page + 1, page});
	// Records can be cut, and can claim anything.
	check_pieces(with_pages(UINT32_MAX, 1, overlapping), 1,
		     (uint64_t[]){STACK + 16, page - 16});
	check_pieces(with_pages(3, 0, overlapping), 0, NULL);
}

static void all_is_kept_otherwise(void **state)
{
	Flightrec__Snapshot *file;

	(void)state;
	emit_all();
	file = written(false, 0);
	assert_false(file->source[STACKED]->unwound);
	assert_int_equal(file->records[0]->size, copy.valid);
	// The file has SECRET wherever it was emitted: in the stacks, and in all registers except
	// stack pointer and pc.
	assert_true(secrets(chunk(file), copy.valid) >
		    sizeof(((struct frec_crash_record *)0)->memory) / 8 + 8);
	flightrec__snapshot__free_unpacked(file, NULL);
	free(file_bytes);
}

// Sizes in a record that a service wrote itself can be anything.
static void broken_records_keep_nothing(void **state)
{
	const uint64_t huge[] = {UINT64_MAX, 1u << 20, 8192, UINT64_C(1) << 61};
	const size_t head = frec__sample_head(&sources[STACKED]);
	static struct made made;
	Flightrec__Snapshot *file;

	(void)state;
	emit_all();
	for (size_t i = 0; i < sizeof(huge) / sizeof(*huge); i++) {
		begin(&made, STACKED, PID); // a call chain that goes beyond the record
		memcpy(made.bytes + head, &huge[i], 8);
		add_payload(&made);
		add_stack(&made, BIAS + 0x1010, sound, 8);
		put(&made, STACKED);
		begin(&made, STACKED, PID); // a payload that goes beyond the record
		add_payload(&made);
		add_stack(&made, BIAS + 0x1010, sound, 8);
		memcpy(made.bytes + head + 24, &huge[i], 4);
		put(&made, STACKED);
		begin(&made, STACKED, PID); // a stack that goes beyond the record
		add_payload(&made);
		add_stack(&made, BIAS + 0x1010, sound, 8);
		memcpy(made.bytes + made.size - 10 * 8, &huge[i], 8);
		put(&made, STACKED);
	}
	file = written(true, 2) /* verify reports two kinds of damage, each once */;
	assert_int_equal(secrets(chunk(file), file->records[0]->size), 0);
	flightrec__snapshot__free_unpacked(file, NULL);
	free(file_bytes);
}

// A snapshot for a user who may not read kernel addresses has none.
static void the_kernel_is_hidden(void **state)
{
	const uint64_t address = 0xffffffff81000010;
	Flightrec__Snapshot *file;
	const uint8_t *records_of;

	(void)state;
	frec__process_table_find(&processes, PID)->owner =
		(struct frec_owner){.uid = 1000, .known = true, .alone = true};
	for (int drop = 0; drop < 2; drop++) {
		emit_all();
		file = written_for(1000, drop, 0);
		records_of = chunk(file);
		assert_int_equal(memmem(records_of, file->records[0]->size, &address, 8) != NULL,
				 frec__kernel_names_public());
		// The user stacks are unchanged.
		assert_int_equal(secrets(records_of, file->records[0]->size) > 0, !drop);
		flightrec__snapshot__free_unpacked(file, NULL);
		free(file_bytes);
		emit_all(); // emit anew, because writing marks what it leaves out
		file = written(drop, 0);
		assert_non_null(memmem(chunk(file), file->records[0]->size, &address, 8));
		flightrec__snapshot__free_unpacked(file, NULL);
		free(file_bytes);
	}
}

struct opener {
	bool killed;
	size_t fds; // number of descriptors that it had open
};

static size_t open_files(pid_t pid)
{
	char path[32];
	DIR *folder;
	size_t count = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	folder = opendir(path);
	while (folder && readdir(folder))
		count++;
	if (folder)
		closedir(folder);
	return count - 2; // . and ..
}

static pid_t parent_of(pid_t pid)
{
	char path[32], line[256];
	FILE *file;
	int parent = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file) && sscanf(line, "PPid: %d", &parent) != 1)
		;
	if (file)
		fclose(file);
	return parent;
}

// Whether this is the process that opens files for the child that unwinds.
static bool is_our_opener(pid_t pid)
{
	return parent_of(parent_of(pid)) == getpid();
}

// Opening the program blocks for ever, as on a file system whose server is gone. Other recorders of
// this machine may open the program as well, and are not blocked.
static void *hold(void *data)
{
	struct opener *opener = data;
	struct fanotify_event_metadata event;

	for (;;) {
		struct fanotify_response allow = {.response = FAN_ALLOW};

		if (read(held, &event, sizeof(event)) < (ssize_t)sizeof(event))
			return NULL;
		if (is_our_opener(event.pid))
			break;
		allow.fd = event.fd;
		if (write(held, &allow, sizeof(allow)) < 0)
			return NULL;
		close(event.fd);
	}
	opener->fds = open_files(event.pid);
	if (opener->killed)
		kill(event.pid, SIGKILL);
	close(event.fd);
	return NULL;
}

static Flightrec__Snapshot *written_while_held(bool drop, bool killed)
{
	struct opener opener = {.killed = killed};
	Flightrec__Snapshot *file;
	pthread_t thread;

	held = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY);
	if (held < 0 && (errno == EPERM || errno == ENOSYS)) {
		print_message("not tested: only root can block the opening of a file\n");
		skip();
	}
	assert_true(held >= 0);
	assert_int_equal(fanotify_mark(held, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, program), 0);
	assert_int_equal(pthread_create(&thread, NULL, hold, &opener), 0);
	emit_all();
	file = written(drop, 0);
	pthread_join(thread, NULL);
	// The child had no descriptors of this process open, only its own and the O_PATH one of the
	// file that it was about to open (proto/regular_file.h), and it has been waited for.
	assert_in_range(opener.fds, 1, 5);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	return file;
}

// If a program cannot be read, its frames are missing, but the file is written, and the stack bytes
// are kept or dropped as requested.
static void programs_do_no_harm(void **state)
{
	Flightrec__Snapshot *file;
	const uint8_t *at, *frames;

	(void)state;
	for (int killed = 0; killed < 2; killed++) {
		file = written_while_held(false, killed);
		assert_int_equal(file->n_thread_stack, 0);
		assert_int_equal(file->crash->stack->data.len,
				 sizeof(((struct frec_crash_record *)0)->memory));
		assert_int_equal(file->records[0]->size, copy.valid);
		flightrec__snapshot__free_unpacked(file, NULL);
		free(file_bytes);
	}
	file = written_while_held(true, true);
	assert_int_equal(file->n_thread_stack, 0);
	at = chunk(file);
	assert_int_equal(secrets(at, file->records[0]->size), 0);
	at += ((const struct perf_event_header *)at)->size; // the plain one
	frames = frames_of(&at);
	assert_int_equal(u64(&frames), (uint64_t)FREC_UNWIND_LIMIT << 32);
	flightrec__snapshot__free_unpacked(file, NULL);
	free(file_bytes);
}

// A process that ignores SIGCHLD cannot wait for its child, and must not kill it, because the
// child's pid may already be another process's.
static void an_end_is_seen_when_nobody_waits(void **state)
{
	pid_t child;

	(void)state;
	signal(SIGCHLD, SIG_IGN);
	child = fork();
	assert_true(child >= 0);
	if (!child)
		_exit(0);
	assert_true(frec__child_ends_within(child, 60000, NULL));
	signal(SIGCHLD, SIG_DFL);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		sleep(20);
		_exit(0);
	}
	errno = ECHILD;
	assert_false(frec__child_ends_within(child, 10, NULL));
	frec__child_kill(child);
	assert_int_equal(waitpid(child, NULL, WNOHANG), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_take_the_place_of_bytes),
		cmocka_unit_test(the_crash_has_frames),
		cmocka_unit_test(the_stack_has_several_pieces),
		cmocka_unit_test(all_is_kept_otherwise),
		cmocka_unit_test(broken_records_keep_nothing),
		cmocka_unit_test(the_kernel_is_hidden),
		cmocka_unit_test(programs_do_no_harm),
		cmocka_unit_test(an_end_is_seen_when_nobody_waits),
	};

#ifndef __x86_64__
	return 77; // The program above is of x86_64.
#endif
	return cmocka_run_group_tests(tests, setup, teardown);
}
