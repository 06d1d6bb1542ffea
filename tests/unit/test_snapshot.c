// SPDX-License-Identifier: MIT
// Proves the way from a capture to a file without a kernel: artificial rings, counts and processes
// become a .frec file that reads back the same and passes every check of verify, with and without a
// wrap, and for one user only.
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/clocks.h"
#include "recorder/rings/perf_ring.h"
#include "recorder/snapshot/folder.h"
#include "recorder/snapshot/quota.h"
#include "recorder/snapshot/emitters.h"
#include "recorder/snapshot/snapshot.h"
#include "tests/data/pipeline.h"

#define RING (512u << 10)
#define CPUS 2
#define SOURCES 2
#define SINCE UINT64_C(1000)
#define MINE 1000u
#define MY_PID 100u
#define OTHER_PID 200u

static const char format_text[] = "name: test__tick\nID: 77\nformat:\n"
				  "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
				  "\tfield:u64 number;\toffset:8;\tsize:8;\tsigned:0;\n";

static struct frec_ring rings[CPUS];
static struct frec_source sources[SOURCES];
static struct frec_capture capture;
static struct frec_process_table processes;
static struct frec_reason reason;
static struct frec_pairs own_tags;
static uint64_t heads[CPUS], emitted[SOURCES][CPUS], now;
static char folder[] = "/tmp/frec-snapshot-XXXXXX", path[PATH_MAX];

static uint8_t *data_of(size_t ring)
{
	return (uint8_t *)rings[ring].map + sysconf(_SC_PAGESIZE);
}

static int setup(void **state)
{
	static uint64_t perf_id[SOURCES][CPUS] = {{501, 502}, {503, 504}};
	static int closed[CPUS] = {-1, -1};

	(void)state;
	memset(emitted, 0, sizeof(emitted));
	now = SINCE;
	for (size_t i = 0; i < CPUS; i++) {
		rings[i] = (struct frec_ring){.type = &frec__perf_ring_type,
					      .cpu = (int)i * 3,
					      .fd = -1,
					      .size = RING,
					      .since = 500};
		rings[i].map = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE) + RING,
				    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		heads[i] = 0;
	}
	for (size_t s = 0; s < SOURCES; s++) {
		sources[s] = (struct frec_source){.sample_type = FREC_SAMPLE_TYPE | PERF_SAMPLE_RAW,
						  .opened = CPUS,
						  .fd = closed,
						  .perf_id = perf_id[s],
						  .format_text = (char *)format_text};
		snprintf(sources[s].listed.system, sizeof(sources[s].listed.system), "test");
		snprintf(sources[s].listed.name, sizeof(sources[s].listed.name), "tick%zu", s);
		sources[s].listed.kind = FLIGHTREC__SOURCE_KIND__SOURCE_EVENT;
		assert_int_equal(frec__format_parse(&sources[s].format, format_text, true, NULL),
				 0);
	}
	frec__process_table_fork(&processes, MY_PID, 1, MY_PID, 900);
	frec__process_table_comm(&processes, MY_PID, MY_PID, "mine", false, 900);
	frec__process_table_fork(&processes, OTHER_PID, 1, OTHER_PID, 900);
	frec__process_table_find(&processes, MY_PID)->owner =
		(struct frec_owner){.uid = MINE, .known = true, .alone = true};
	frec__process_table_find(&processes, OTHER_PID)->owner =
		(struct frec_owner){.uid = MINE + 1, .known = true, .alone = true};
	reason = (struct frec_reason){
		.kind = FLIGHTREC__TRIGGER__KIND__REQUEST, .name = "test", .time = 5000};
	return frec__capture_reserve(&capture, CPUS, RING, SOURCES);
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < CPUS; i++)
		munmap(rings[i].map, (size_t)sysconf(_SC_PAGESIZE) + RING);
	for (size_t s = 0; s < SOURCES; s++)
		frec__format_deinit(&sources[s].format);
	frec__capture_deinit(&capture, RING);
	frec__process_table_deinit(&processes);
	if (*path)
		unlink(path);
	return 0;
}

static void put(size_t ring, const void *record, size_t size)
{
	heads[ring] -= size;
	for (size_t i = 0; i < size; i++)
		data_of(ring)[(heads[ring] + i) & (RING - 1)] = ((const uint8_t *)record)[i];
	((struct perf_event_mmap_page *)rings[ring].map)->data_head = heads[ring];
}

// `padding` makes records of different sizes.
static void emit(size_t ring, size_t source, uint32_t pid, uint64_t time, size_t padding)
{
	_Alignas(8) uint8_t bytes[4096] = {0};
	size_t raw = 20 + padding / 8 * 8;
	struct frec_sample *sample = (void *)bytes;
	uint16_t type = 77;

	*sample = (struct frec_sample){
		.header = {.type = PERF_RECORD_SAMPLE, .size = (uint16_t)(sizeof(*sample) + raw)},
		.id = sources[source].perf_id[ring],
		.pid = pid,
		.tid = pid,
		.time = time,
		.cpu = (uint32_t)rings[ring].cpu,
		.raw_size = (uint32_t)raw};
	memcpy(sample->raw, &type, sizeof(type));
	emitted[source][ring]++;
	memcpy(sample->raw + 8, &emitted[source][ring], 8);
	put(ring, bytes, sample->header.size);
}

// Like frec__capture_take(), but with counts for sources that have no descriptors.
static void take(uint64_t until)
{
	frec__capture_take(&capture, rings, CPUS, sources, SOURCES);
	for (size_t i = 0; i < CPUS; i++)
		frec__ring_copy_finish(&rings[i], &capture.copy[i], true, 0);
	for (size_t s = 0; s < SOURCES; s++) {
		for (size_t r = 0; r < CPUS; r++) {
			capture.before[s * CPUS + r].value = emitted[s][r];
			capture.after[s * CPUS + r].value = emitted[s][r];
		}
	}
	capture.complete_until = until;
}

// Writes the file, runs every export on it, and returns the content as protobuf-c unpacks it.
static Flightrec__Snapshot *written(int64_t only_uid, void (*meanwhile)(void *),
				    struct pipeline_result *ret)
{
	static const char *const selection[] = {"test:*", NULL};
	struct frec_clocks start = capture.clocks;
	struct frec_snapshot_job snapshot = {.rings = rings,
					     .ring_count = CPUS,
					     .sources = sources,
					     .source_count = SOURCES,
					     .capture = &capture,
					     .processes = &processes,
					     .start = &start,
					     .recording_since = SINCE,
					     .selection = selection,
					     .tags = &own_tags,
					     .reason = &reason,
					     .only_uid = only_uid,
					     .on_progress = meanwhile};
	struct frec_error error = {0};
	Flightrec__Snapshot *file;
	struct stat status;
	uint8_t *bytes;
	int fd;

	snprintf(path, sizeof(path), "%s/test.frec", folder);
	if (frec__snapshot_write(&snapshot, path, -1, &error))
		fail_msg("%s", error.message);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(fd, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	bytes = malloc((size_t)status.st_size);
	assert_int_equal(read(fd, bytes, (size_t)status.st_size), status.st_size);
	close(fd);
	*ret = pipeline_run(bytes, (size_t)status.st_size);
	file = flightrec__snapshot__unpack(NULL, (size_t)status.st_size, bytes);
	free(bytes);
	assert_non_null(file);
	assert_int_equal(ret->opened, 0);
	assert_int_equal(ret->damaged, 0);
	assert_int_equal(ret->problems, 0);
	return file;
}

static void not_wrapped(void **state)
{
	struct pipeline_result result;
	Flightrec__Snapshot *file;

	(void)state;
	emit(0, 0, MY_PID, 990, 0); // while the sources were being enabled
	for (uint64_t i = 0; i < 100; i++)
		emit(i % 3 == 0, i % 2, i % 5 ? MY_PID : OTHER_PID, ++now, i % 7 * 8);
	emit(1, 0, MY_PID, 9000, 0); // while the rings were copied
	take(8000);
	file = written(-1, NULL, &result);
	assert_int_equal(result.events, 102);
	assert_int_equal(file->end->records, 102);
	assert_int_equal(file->n_source, SOURCES);
	assert_int_equal(file->n_cpu, CPUS);
	assert_int_equal(file->n_loss, SOURCES * CPUS);
	assert_int_equal(file->n_process, 2);
	for (size_t i = 0; i < CPUS; i++) {
		assert_int_equal(file->cpu[i]->cpu, i * 3);
		assert_false(file->cpu[i]->wrapped);
		assert_int_equal(file->cpu[i]->from, SINCE);
		assert_int_equal(file->cpu[i]->until, 8000);
		assert_int_equal(file->cpu[i]->bytes_kept, -heads[i]);
	}
	flightrec__snapshot__free_unpacked(file, NULL);
}

static void empty(void **state)
{
	struct pipeline_result result;
	Flightrec__Snapshot *file;

	(void)state;
	take(8000);
	file = written(-1, NULL, &result);
	assert_int_equal(result.events, 0);
	flightrec__snapshot__free_unpacked(file, NULL);
}

static void wrapped(void **state)
{
	struct pipeline_result result;
	Flightrec__Snapshot *file;
	uint64_t overwritten = 0;

	(void)state;
	srandom(2);
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 4500; i++) {
			// Now and then an interrupt puts a younger record before an older one.
			if (random() % 4 == 0) {
				emit(0, 1, MY_PID, now + 2, (size_t)random() % 64);
				emit(0, 0, MY_PID, now + 1, (size_t)random() % 64);
				now += 2;
			}
			emit(0, 0, OTHER_PID, ++now, (size_t)random() % 300);
		}
		emit(1, 0, MY_PID, ++now, 0);
		take(now);
		file = written(round % 2 ? (int64_t)MINE : -1, NULL, &result);
		assert_true(file->cpu[0]->wrapped);
		assert_false(file->cpu[1]->wrapped);
		assert_true(file->cpu[0]->from > SINCE && file->cpu[0]->from <= now);
		assert_int_equal(file->cpu[1]->from, SINCE);
		overwritten = 0;
		for (size_t i = 0; i < file->n_loss; i++)
			overwritten += file->loss[i]->cpu == 0 ? file->loss[i]->overwritten : 0;
		// A file for one user has no counts of what others emitted.
		if (round % 2) {
			assert_int_equal(overwritten, 0);
			assert_true(file->cpu[0]->bytes_kept < RING / 2);
		} else {
			assert_true(overwritten > 0);
			assert_true(file->cpu[0]->bytes_kept <= RING &&
				    file->cpu[0]->bytes_kept > RING - 400);
		}
		flightrec__snapshot__free_unpacked(file, NULL);
	}
}

// All records that are left in the ring are younger than the time up to which the file would be
// complete if none had been overwritten.
static void overwritten_end_to_end_while_waiting(void **state)
{
	struct pipeline_result result;
	Flightrec__Snapshot *file;

	(void)state;
	for (int i = 0; i < 9000; i++)
		emit(0, 0, MY_PID, ++now, 0);
	take(SINCE + 1);
	file = written(-1, NULL, &result);
	assert_true(file->cpu[0]->from > SINCE + 1);
	assert_int_equal(file->cpu[0]->until, file->cpu[0]->from);
	flightrec__snapshot__free_unpacked(file, NULL);
}

// While the file is written, the sideband reports that another user's process now belongs to this
// user, and this user's process to another one.
static void change_sides(void *context)
{
	(void)context;
	frec__process_table_find(&processes, OTHER_PID)->owner.uid = MINE;
	frec__process_table_find(&processes, MY_PID)->owner.uid = 0;
}

static void for_one_user(void **state)
{
	uint64_t in_file = 0;
	struct pipeline_result result;
	Flightrec__Snapshot *file;

	(void)state;
	// Emit enough events for more than one part of records, because the process table changes
	// between parts.
	for (int i = 0; i < 2500; i++)
		emit(0, (size_t)i % 2, i % 3 ? MY_PID : OTHER_PID, ++now, 128);
	emit(0, 0, 300, ++now, 0);	  // owner unknown
	emit(0, 0, UINT32_MAX, ++now, 0); // a process that is already gone
	take(now);
	file = written(MINE, change_sides, &result);
	assert_int_equal(file->header->filter_case, FLIGHTREC__HEADER__FILTER_ONLY_UID);
	assert_int_equal(file->header->only_uid, MINE);
	for (size_t i = 0; i < file->n_loss; i++) {
		in_file += file->loss[i]->in_file;
		// How many events others emit is not told.
		assert_int_equal(file->loss[i]->emitted_after, file->loss[i]->in_file);
		assert_int_equal(file->loss[i]->filtered, 0);
	}
	assert_int_equal(result.events, in_file);
	assert_int_equal(in_file, file->cpu[0]->records_kept);
	assert_int_equal(file->cpu[0]->bytes_written, file->cpu[0]->bytes_kept);
	assert_int_equal(in_file, 2500 - 834);
	assert_int_equal(file->n_source, 2); // the others have no events of this user
	assert_int_equal(file->header->n_selection, 0);
	assert_int_equal(file->n_process, 1);
	assert_int_equal(file->process[0]->pid, MY_PID);
	flightrec__snapshot__free_unpacked(file, NULL);
}

static const Flightrec__Process *process_of(const Flightrec__Snapshot *file, uint32_t pid)
{
	for (size_t i = 0; i < file->n_process; i++) {
		if (file->process[i]->pid == pid)
			return file->process[i];
	}
	return NULL;
}

static void born(uint32_t pid, uint32_t ppid, const char *program, uint64_t time)
{
	struct frec_process *process;

	frec__process_table_fork(&processes, pid, ppid, pid, time);
	process = frec__process_table_find(&processes, pid);
	free(process->executable);
	process->executable = strdup(program);
	process->owner = (struct frec_owner){.uid = MINE, .known = true, .alone = true};
}

// The tags of a client are those of its process and of its children that run the same program. Its
// parent does not get them, nor do other programs that its children execute, nor a later process
// with its pid.
static void tags(void **state)
{
	static const char text[] = "service.version\0001.2";
	struct pipeline_result result;
	Flightrec__Snapshot *file;

	(void)state;
	assert_int_equal(frec__pairs_add(&own_tags, "build", 5, "\xff\n", 2), 0);
	born(300, 1, "/bin/master", 901);
	born(301, 300, "/bin/server", 902);
	born(302, 301, "/bin/server", 903);
	born(303, 302, "/bin/server", 904);
	born(304, 303, "/bin/sh", 905);
	born(305, 301, "/bin/server", 906);
	assert_int_equal(frec__process_table_tag(&processes, 301, text, sizeof(text)), 0);
	assert_int_equal(frec__process_table_tag(&processes, 305, "a\0b", 4), 0);
	take(8000);
	file = written(-1, NULL, &result);
	assert_int_equal(file->header->n_tag, 1);
	assert_string_equal(file->header->tag[0]->key, "build");
	assert_memory_equal(file->header->tag[0]->value.data, "\xff\n", 2);
	for (uint32_t pid = 300; pid <= 305; pid++) {
		const Flightrec__Process *process = process_of(file, pid);

		assert_int_equal(process->n_tag, pid >= 301 && pid != 304);
		if (process->n_tag)
			assert_string_equal(process->tag[0]->key,
					    pid == 305 ? "a" : "service.version");
	}
	flightrec__snapshot__free_unpacked(file, NULL);
	// In a file for one user, another user's process gives its tags to nobody.
	frec__process_table_find(&processes, 301)->owner.uid = MINE + 1;
	file = written(MINE, NULL, &result);
	assert_null(process_of(file, 301));
	assert_int_equal(process_of(file, 302)->n_tag, 0);
	assert_int_equal(process_of(file, 305)->n_tag, 1);
	flightrec__snapshot__free_unpacked(file, NULL);
	// After an exec, a process has none of the old program's tags, and a new process with the
	// same pid has none either.
	frec__process_table_comm(&processes, 301, 301, "other", true, 910);
	frec__process_table_end(&processes, 305, 911);
	born(305, 1, "/bin/server", 912);
	file = written(-1, NULL, &result);
	assert_int_equal(process_of(file, 301)->n_tag, 0);
	assert_int_equal(process_of(file, 303)->n_tag, 0);
	for (size_t i = 0; i < file->n_process; i++) {
		if (file->process[i]->pid == 305)
			assert_int_equal(file->process[i]->n_tag, file->process[i]->exit != 0);
	}
	flightrec__snapshot__free_unpacked(file, NULL);
	own_tags.size = own_tags.count = 0;
}

// The kernel writes records of other types between the samples. Those records are counted, and end
// with our trailer.
static void other_records(void **state)
{
	_Alignas(8) uint8_t bytes[56] = {0};
	struct pipeline_result result;
	Flightrec__Snapshot *file;

	(void)state;
	emit(0, 0, MY_PID, ++now, 0);
	*(struct perf_event_header *)bytes =
		(struct perf_event_header){.type = PERF_RECORD_LOST, .size = 56};
	((struct frec_sample_id *)(bytes + 56 - sizeof(struct frec_sample_id)))->time = 50;
	put(0, bytes, sizeof(bytes));
	take(now);
	file = written(-1, NULL, &result);
	assert_int_equal(result.events, 1);
	assert_int_equal(file->end->records, 2);
	assert_int_equal(file->records[0]->first, now);
	flightrec__snapshot__free_unpacked(file, NULL);
}

// If there are more rings and sources than memory was reserved for, those that fit are captured,
// and nothing is written out of bounds.
static void a_capture_keeps_within_its_memory(void **state)
{
	struct frec_source many[64] = {{0}};
	struct frec_ring more[4] = {rings[0], rings[1], rings[0], rings[1]};

	(void)state;
	frec__capture_take(&capture, more, 4, many, 64);
	assert_int_equal(capture.rings, CPUS);
	assert_true(capture.sources >= SOURCES && capture.sources <= capture.sources_room / CPUS);
}

static size_t files_in(const char *where)
{
	char command[PATH_MAX + 64];
	size_t count = 0;
	FILE *list;

	snprintf(command, sizeof(command), "ls -A %s 2>/dev/null | wc -l", where);
	list = popen(command, "r");
	assert_int_equal(fscanf(list, "%zu", &count), 1);
	pclose(list);
	return count;
}

static void folders(void **state)
{
	char first[64], second[64], place[PATH_MAX], last[PATH_MAX] = "", other[64], command[200];
	struct frec_clocks start = {0};
	struct frec_snapshot_job snapshot = {.rings = rings,
					     .ring_count = CPUS,
					     .sources = sources,
					     .source_count = SOURCES,
					     .capture = &capture,
					     .processes = &processes,
					     .start = &start,
					     .recording_since = SINCE,
					     .reason = &reason,
					     .only_uid = -1};
	struct frec_folder kept;
	struct frec_error error;
	struct stat status;
	FILE *file;

	(void)state;
	*path = 0;
	take(now);
	snprintf(first, sizeof(first), "%s/a/b", folder);
	snprintf(second, sizeof(second), "%s/fallback", folder);
	snprintf(other, sizeof(other), "%s/file", folder);
	file = fopen(other, "w");
	fclose(file);
	assert_int_equal(chmod(other, 0700), 0);
	assert_int_equal(frec__folder_open(&kept, "", second, 1, &error), -ENOENT);
	assert_int_equal(frec__folder_open(&kept, other, second, 1, &error), -ENOTDIR);
	assert_int_equal(frec__folder_open(&kept, "/proc/nowhere", second, 1, &error), -ENOENT);
	assert_int_equal(frec__folder_open(&kept, first, second, 1, &error), 0);
	// A name from outside is never used as a path; the youngest file stays, whatever the quota.
	snprintf(reason.name, sizeof(reason.name), "../../etc/x y\n\xff");
	for (int i = 0; i < 4; i++) {
		assert_int_equal(frec__folder_write(&kept, &snapshot, -1, place, &error), 0);
		assert_int_equal(strncmp(place, kept.path, strlen(kept.path)), 0);
		assert_null(strchr(place + strlen(kept.path) + 1, '/'));
		assert_int_equal(strspn(place + strlen(kept.path) + 1,
					"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					"0123456789._-"),
				 strlen(place + strlen(kept.path) + 1));
		assert_string_not_equal(place, last);
		strcpy(last, place);
		assert_int_equal(files_in(first), 1);
		assert_int_equal(stat(place, &status), 0);
	}
	// After the folder is removed, the fallback is used, under the same quota.
	snprintf(command, sizeof(command), "rm -r %s/a", folder);
	assert_int_equal(system(command), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(frec__folder_write(&kept, &snapshot, -1, place, &error), 0);
		assert_int_equal(strncmp(place, second, strlen(second)), 0);
		assert_int_equal(files_in(second), 1);
	}
	// A fallback that another user may have prepared is refused: a link, or a folder that
	// others may write to.
	snprintf(command, sizeof(command), "rm -r %s && ln -s /tmp %s", second, second);
	assert_int_equal(system(command), 0);
	assert_true(frec__folder_write(&kept, &snapshot, -1, place, &error) < 0);
	assert_true(*error.message);
	snprintf(command, sizeof(command), "rm %s && mkdir -m 777 %s", second, second);
	assert_int_equal(system(command), 0);
	assert_true(frec__folder_write(&kept, &snapshot, -1, place, &error) < 0);
	assert_int_equal(files_in(second), 0);
	snprintf(command, sizeof(command), "rm -r %s/*", folder);
	assert_int_equal(system(command), 0);
}

static bool have(const struct frec_emitters *emitters, uint32_t pid)
{
	const struct frec_process *process = frec__process_table_find(&processes, pid);
	const struct frec_reason death = {.pid = pid, .life = process ? process->life : 0};

	return frec__emitters_have(emitters, &death);
}

// A snapshot concerns a process that emitted, and also a worker of the same service whose events
// were overwritten, but not just any process of the same program.
static void emitters(void **state)
{
	struct frec_snapshot_job snapshot = {.rings = rings,
					     .ring_count = CPUS,
					     .sources = sources,
					     .source_count = SOURCES,
					     .capture = &capture,
					     .processes = &processes,
					     .reason = &reason,
					     .only_uid = -1};
	struct frec_emitters found = {0};
	static const struct {
		uint32_t pid, ppid;
		const char *executable;
		bool mentioned;
	} others[] = {{50, 1, "/bin/mine", true},	// the parent
		      {201, MY_PID, "/bin/mine", true}, // a child
		      {202, 50, "/bin/mine", true},	// a sibling
		      {203, 51, "/bin/mine", false},	// of another service
		      {204, MY_PID, "/bin/sh", false},	// another program
		      {205, MY_PID, NULL, false}};	// unknown

	(void)state;
	*path = 0;
	frec__process_table_find(&processes, MY_PID)->executable = strdup("/bin/mine");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		frec__process_table_fork(&processes, others[i].pid, others[i].ppid, others[i].pid,
					 1000);
		free(frec__process_table_find(&processes, others[i].pid)->executable);
		frec__process_table_find(&processes, others[i].pid)->executable =
			others[i].executable ? strdup(others[i].executable) : NULL;
		frec__process_table_find(&processes, MY_PID)->parent =
			frec__process_table_find(&processes, 50);
	}
	for (size_t i = 0; i < SOURCES; i++)
		emit(i % CPUS, i, MY_PID, ++now, 64);
	take(now);
	frec__emitters_find(&found, &snapshot);
	assert_true(have(&found, MY_PID));
	assert_true(frec__process_table_find(&processes, MY_PID)->has_emitted);
	assert_false(have(&found, OTHER_PID));
	assert_false(frec__process_table_find(&processes, OTHER_PID)->has_emitted);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(have(&found, others[i].pid), others[i].mentioned);
	frec__emitters_deinit(&found);
}

// Returns whether the file `name` still exists, and whether it is below the folder `where`.
static bool is_there(const char *where, const char *name)
{
	return !access(name, F_OK) && !strncmp(name, where, strlen(where));
}

// Sets a file's times to `age` seconds before a fixed time, so that the order of files does not
// depend on the clock.
static void set_age(const char *name, time_t age)
{
	const struct timespec times[2] = {{.tv_sec = 1000000 - age}, {.tv_sec = 1000000 - age}};

	assert_int_equal(utimensat(AT_FDCWD, name, times, 0), 0);
}

static void write_as(struct frec_folder *kept, struct frec_snapshot_job *snapshot, const char *name,
		     uint32_t pid, time_t age, char *ret)
{
	snprintf(reason.name, sizeof(reason.name), "%s", name);
	reason.kind = pid ? FLIGHTREC__TRIGGER__KIND__CRASH : FLIGHTREC__TRIGGER__KIND__REQUEST;
	reason.pid = pid;
	reason.signal = pid ? SIGSEGV : 0;
	assert_int_equal(frec__folder_write(kept, snapshot, -1, ret, NULL), 0);
	if (age)
		set_age(ret, age);
}

// Files are removed in the order of the ranks of quota.h, whatever their age, as by a recorder that
// was started anew for each of them.
static void the_quota_has_an_order(void **state)
{
	static char first_death[PATH_MAX], second_death[PATH_MAX], latest_death[PATH_MAX],
		other_death[PATH_MAX], slow[3][PATH_MAX], junk[PATH_MAX], empty[PATH_MAX],
		last[PATH_MAX];
	static char *const in_order[] = {empty,	       junk,	    slow[1],
					 slow[0],      slow[2],	    second_death,
					 latest_death, first_death, other_death};
	struct frec_clocks start = {0};
	struct frec_snapshot_job snapshot = {.rings = rings,
					     .ring_count = CPUS,
					     .sources = sources,
					     .source_count = SOURCES,
					     .capture = &capture,
					     .processes = &processes,
					     .start = &start,
					     .recording_since = SINCE,
					     .reason = &reason,
					     .only_uid = -1};
	const size_t count = sizeof(in_order) / sizeof(in_order[0]);
	const struct frec_reason before = reason;
	struct frec_folder kept;
	struct frec_error error;
	uint64_t total = 0;
	struct stat status;
	char where[64], command[200];
	FILE *file;

	(void)state;
	*path = 0;
	snprintf(where, sizeof(where), "%s/order", folder);
	assert_int_equal(frec__folder_open(&kept, where, NULL, 0, &error), 0);
	// The two files that are removed first are younger than all others but `last`, and one of
	// them is of a crash.
	snapshot.ring_count = 0;
	frec__capture_take(&capture, rings, 0, sources, SOURCES);
	write_as(&kept, &snapshot, "crash", 4242, 20, empty);
	snapshot.ring_count = CPUS;
	for (int i = 0; i < 10; i++)
		emit(0, 0, MY_PID, ++now, 64);
	take(now);
	write_as(&kept, &snapshot, "crash", MY_PID, 90, first_death);
	write_as(&kept, &snapshot, "crash", MY_PID, 80, second_death);
	write_as(&kept, &snapshot, "crash", MY_PID, 70, latest_death);
	write_as(&kept, &snapshot, "crash", 4243, 60, other_death);
	for (int i = 0; i < 3; i++)
		write_as(&kept, &snapshot, "slow", 0, 50 - i, slow[i]);
	snprintf(junk, sizeof(junk), "%s/order/junk.frec", folder);
	file = fopen(junk, "w");
	fputs("not a snapshot, but a file of this name", file);
	fclose(file);
	set_age(junk, 10);
	write_as(&kept, &snapshot, "last", 0, 0, last);
	for (size_t gone = 0; gone <= count; gone++) {
		total = 0;
		for (size_t i = 0; i < count; i++) {
			assert_int_equal(is_there(kept.path, in_order[i]), i >= gone);
			if (i > gone && !stat(in_order[i], &status))
				total += (uint64_t)status.st_size;
		}
		assert_int_equal(stat(last, &status), 0);
		total += (uint64_t)status.st_size;
		// The quota is just too small for one of the files that are left.
		frec__quota_keep(kept.path, total, geteuid(), strrchr(last, '/') + 1);
	}
	assert_true(is_there(kept.path, last));
	assert_int_equal(files_in(kept.path), 1);
	reason = before;
	snprintf(command, sizeof(command), "rm -r %s/*", folder);
	assert_int_equal(system(command), 0);
}

#define STRANGER 70000

// Makes `count` files of `size` bytes that belong to `owner`. They are no snapshots.
static void make_files(uid_t owner, int count, off_t size)
{
	for (int i = 0; i < count; i++) {
		char name[64];
		int fd;

		snprintf(name, sizeof(name), "%s/%u-%d.frec", folder, owner, i);
		fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		assert_int_equal(ftruncate(fd, size), 0);
		assert_int_equal(fchown(fd, owner, (gid_t)-1), 0);
		close(fd);
	}
}

static int files_of(uid_t owner)
{
	DIR *listing = opendir(folder);
	struct dirent *entry;
	struct stat status;
	int count = 0;

	assert_non_null(listing);
	while ((entry = readdir(listing)))
		count += !fstatat(dirfd(listing), entry->d_name, &status, 0) &&
			 S_ISREG(status.st_mode) && status.st_uid == owner;
	closedir(listing);
	return count;
}

// However many users there are, their snapshots take at most three times the quota, and leave those
// of root alone.
static void users_share_the_disk(void **state)
{
	char command[64];

	(void)state;
	if (geteuid() != 0)
		skip();
	make_files(0, 3, 100);
	for (uid_t user = STRANGER; user < STRANGER + 6; user++)
		make_files(user, 10, 100);
	frec__quota_keep(folder, 600, STRANGER, "70000-9.frec");
	for (uid_t user = STRANGER; user < STRANGER + 6; user++)
		assert_int_equal(files_of(user), 3);
	snprintf(command, sizeof(command), "test -e %s/70000-9.frec", folder);
	assert_int_equal(system(command), 0);
	assert_int_equal(files_of(0), 3);
	make_files(STRANGER, FREC_QUOTA_FILES_MAX + 5, 0);
	make_files(0, FREC_QUOTA_FILES_MAX + 5, 0);
	frec__quota_keep(folder, 600, STRANGER, "70000-0.frec");
	frec__quota_keep(folder, 600, 0, "0-0.frec");
	assert_int_equal(files_of(STRANGER), FREC_QUOTA_FILES_MAX);
	assert_int_equal(files_of(0), FREC_QUOTA_FILES_MAX + 5);
	snprintf(command, sizeof(command), "rm %s/*.frec", folder);
	assert_int_equal(system(command), 0);
}

// A limit on the size of files simulates a disk that fills up during a write.
static void nothing_half_written_is_left(void **state)
{
	struct frec_clocks start = {0};
	struct frec_snapshot_job snapshot = {.rings = rings,
					     .ring_count = CPUS,
					     .sources = sources,
					     .source_count = SOURCES,
					     .capture = &capture,
					     .processes = &processes,
					     .start = &start,
					     .recording_since = SINCE,
					     .reason = &reason,
					     .only_uid = -1};
	struct rlimit before, limit;
	struct frec_folder kept;
	struct frec_error error = {0};
	char place[PATH_MAX];

	(void)state;
	*path = 0;
	for (int i = 0; i < 500; i++)
		emit(0, 0, MY_PID, ++now, 64);
	take(now);
	assert_int_equal(frec__folder_open(&kept, folder, NULL, 0, &error), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 1024;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(frec__folder_write(&kept, &snapshot, -1, place, &error), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(files_in(folder), 0);
	assert_non_null(strstr(error.message, folder));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(not_wrapped, setup, teardown),
		cmocka_unit_test_setup_teardown(empty, setup, teardown),
		cmocka_unit_test_setup_teardown(wrapped, setup, teardown),
		cmocka_unit_test_setup_teardown(overwritten_end_to_end_while_waiting, setup,
						teardown),
		cmocka_unit_test_setup_teardown(for_one_user, setup, teardown),
		cmocka_unit_test_setup_teardown(tags, setup, teardown),
		cmocka_unit_test_setup_teardown(other_records, setup, teardown),
		cmocka_unit_test_setup_teardown(a_capture_keeps_within_its_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(folders, setup, teardown),
		cmocka_unit_test_setup_teardown(emitters, setup, teardown),
		cmocka_unit_test_setup_teardown(the_quota_has_an_order, setup, teardown),
		cmocka_unit_test_setup_teardown(users_share_the_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_half_written_is_left, setup, teardown),
	};
	int failed;

	if (!mkdtemp(folder))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(folder);
	return failed;
}
