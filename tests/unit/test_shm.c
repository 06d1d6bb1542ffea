// SPDX-License-Identifier: MIT
// Proves that the reader of shared rings finds every whole record and nothing else, whatever was
// overwritten and wherever, and that no content of the memfd makes it read out of bounds.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/clocks.h"
#include "recorder/service/registration.h"
#include "recorder/service/shm_attach.h"
#include "recorder/service/shm_checksum.h"
#include "recorder/rings/pid_space.h"
#include "recorder/rings/shm_owner.h"
#include "recorder/rings/shm_ring.h"
#include "tests/data/shm_kit.h"

#define RING_SIZE FREC_SHM_RING_SIZE_MIN
#define RECORDS 5

static struct frec_shm_rings *rings;
static uint8_t *memory;

static int setup(void **state)
{
	(void)state;
	rings = kit_create_for(1, RING_SIZE, 0);
	memory = rings ? kit_map(rings) : MAP_FAILED;
	return memory == MAP_FAILED || frec__shm_attach(frec__shm_fd(rings)) ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	munmap(memory, rings->layout.size);
	frec__shm_destroy(rings);
	return 0;
}

// The index of the shared ring, to which all threads of this test emit, whatever CPU they run on.
#define RING 1

static void emit(uint64_t from, uint64_t to)
{
	frec__shm->sequences = false;
	for (uint64_t i = from; i < to; i++)
		assert_int_equal(frec_kit_tick(7, i, "some text"), 0);
}

static struct frec_ring_copy copied(void)
{
	static _Alignas(8) uint8_t data[RING_SIZE];
	struct frec_ring_copy copy = {.data = data};

	memset(data, 0xaa, sizeof(data));
	frec__shm_copy(rings, RING, &copy);
	return copy;
}

// Checks that the copy has `count` records with the numbers from `newest` down, except `missing`,
// and that `regions` regions are damaged.
static void check(struct frec_ring_copy *copy, uint64_t newest, size_t count, uint64_t missing,
		  uint64_t regions)
{
	struct frec_shm_damage damage;
	struct kit_reading reading = {0};

	frec__shm_copy_finish(rings, copy, &damage);
	assert_int_equal(damage.regions, regions);
	assert_true(!regions == !damage.bytes);
	kit_take(&reading, copy, RING);
	assert_int_equal(reading.count, count);
	for (size_t i = 0; i < count; i++) {
		if (newest == missing)
			newest--;
		assert_int_equal(reading.record[i].number, newest--);
		assert_int_equal(reading.record[i].thread, 7);
	}
	free(reading.record);
}

// Checks that the third newest record is missing, and with `both` the next older one too.
static void check_two(struct frec_ring_copy *copy, bool both)
{
	struct frec_shm_damage damage;
	struct kit_reading reading = {0};

	frec__shm_copy_finish(rings, copy, &damage);
	assert_int_equal(damage.regions, 1);
	kit_take(&reading, copy, RING);
	assert_int_equal(reading.count, both ? RECORDS - 2 : RECORDS - 1);
	assert_int_equal(reading.record[1].number, RECORDS - 2);
	assert_int_equal(reading.record[2].number, both ? RECORDS - 5 : RECORDS - 4);
	free(reading.record);
}

static size_t record_size(void)
{
	return (size_t)frec__shm_written(rings, RING) / RECORDS;
}

static void every_byte_counts(void **state)
{
	size_t size;

	(void)state;
	emit(0, RECORDS);
	assert_int_equal(frec__shm_refresh(rings), 1);
	assert_string_equal(frec__shm_event(rings, 0)->provider, "kit");
	assert_string_equal(frec__shm_event(rings, 0)->name, "tick");
	size = record_size();
	for (size_t i = 0; i < size; i++) {
		for (int flip = 1; flip < 256; flip = flip < 128 ? 2 * flip : flip + 127) {
			struct frec_ring_copy copy = copied();

			copy.data[2 * size + i] ^= (uint8_t)flip;
			check(&copy, RECORDS - 1, RECORDS - 1, RECORDS - 3, 1);
		}
	}
	for (size_t i = 0; i < size; i++) {
		struct frec_ring_copy torn, wild;
		bool changed = false;

		// Torn: the record was not written from byte i on. Nothing changes if the rest is
		// zero anyway.
		torn = copied();
		for (size_t k = i; k < size; k++) {
			changed |= torn.data[2 * size + k] != 0;
			torn.data[2 * size + k] = 0;
		}
		check(&torn, RECORDS - 1, changed ? RECORDS - 1 : RECORDS,
		      changed ? RECORDS - 3 : RECORDS, changed);
		// Wild: a write changes the end of one record and the start of the next, or exactly
		// one record.
		wild = copied();
		for (size_t k = i; k < i + size; k++)
			wild.data[2 * size + k] ^= 0x41;
		check_two(&wild, i != 0);
	}
}

static void the_newest_and_the_oldest_count_as_well(void **state)
{
	struct frec_ring_copy copy;
	size_t size;

	(void)state;
	emit(0, RECORDS);
	frec__shm_refresh(rings);
	size = record_size();
	copy = copied();
	copy.data[0] ^= 1;
	check(&copy, RECORDS - 2, RECORDS - 1, RECORDS, 1);
	copy = copied();
	copy.data[RECORDS * size - 1] ^= 1;
	check(&copy, RECORDS - 1, RECORDS - 1, 0, 1);
	copy = copied();
	memset(copy.data, 0, RECORDS * size);
	check(&copy, 0, 0, 0, 1);
}

static void full_rings(void **state)
{
	struct frec_ring_copy copy;
	size_t size, fit;

	(void)state;
	emit(0, RECORDS);
	frec__shm_refresh(rings);
	size = record_size();
	emit(RECORDS, 5000);
	fit = (RING_SIZE - FREC_SHM_RECORD_MAX) / size;
	copy = copied();
	frec__shm_copy_finish(rings, &copy, &(struct frec_shm_damage){0});
	assert_true(copy.wrapped);
	assert_in_range(copy.valid / (size - FREC_SHM_FRAME_SIZE), fit, RING_SIZE / size);
	// A wild write far from the old end is detected and destroys one record.
	fit = copy.valid / (size - FREC_SHM_FRAME_SIZE);
	copy = copied();
	copy.data[20 * size + 3] ^= 0x10;
	check(&copy, 4999, fit - 1, 4979, 1);
	// If writers overwrote the whole ring during the copy, the copy is empty and has no damage.
	emit(5000, 5200);
	copy = copied();
	copy.head -= 3 * RING_SIZE;
	copy.during = 3 * RING_SIZE;
	check(&copy, 0, 0, 0, 0);
	assert_true(copy.wrapped);
}

static void a_position_that_was_overwritten(void **state)
{
	struct frec_shm_control *control =
		(void *)(memory + rings->layout.controls + RING * rings->layout.control_size);
	static const uint64_t wild[] = {0, 8, UINT64_MAX, 0x4141414141414141,
					FREC_SHM_POSITION_FIRST + 3 * RING_SIZE + 5};

	(void)state;
	emit(0, 3000);
	frec__shm_refresh(rings);
	for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
		uint64_t was = control->position;
		struct frec_shm_damage damage;
		struct kit_reading reading = {0};
		struct frec_ring_copy copy;

		control->position = wild[i];
		copy = copied();
		frec__shm_copy_finish(rings, &copy, &damage);
		kit_take(&reading, &copy, RING);
		assert_int_equal(damage.regions, 1);
		assert_true(reading.count > 500);
		for (size_t r = 0; r < reading.count; r++)
			assert_int_equal(reading.record[r].number, 2999 - r);
		free(reading.record);
		control->position = was;
	}
}

// If a writer is stopped while others fill the whole shared ring, it then overwrites newer records.
// The reader detects that.
static void a_lap_behind(void **state)
{
	struct frec_shm_control *control =
		(void *)(memory + rings->layout.controls + RING * rings->layout.control_size);
	uint64_t position;
	size_t size;
	struct frec_ring_copy copy;
	struct kit_reading reading = {0};
	struct frec_shm_damage damage;

	(void)state;
	emit(0, RECORDS);
	frec__shm_refresh(rings);
	size = record_size();
	position = control->position += size; // reserved but never written
	emit(RECORDS, 20);
	copy = copied();
	check(&copy, 19, 20, 20, 1); // damage between records 4 and 5
	emit(20, 20 + RING_SIZE / size - 3);
	memset(memory + rings->layout.rings + RING * RING_SIZE + (-position & (RING_SIZE - 1)),
	       0x55, size);
	copy = copied();
	frec__shm_copy_finish(rings, &copy, &damage);
	kit_take(&reading, &copy, RING);
	for (size_t i = 0; i < reading.count; i++)
		assert_in_range(reading.record[i].number, RECORDS, 20 + RING_SIZE / size);
	free(reading.record);
}

// A service can compute valid checksums, so the other members of a record are checked as well.
static void right_checksums(void **state)
{
	size_t size;

	(void)state;
	emit(0, RECORDS);
	frec__shm_refresh(rings);
	size = record_size();
	for (int what = 0; what < 8; what++) {
		struct frec_ring_copy copy = copied();
		struct frec_shm_record *record = (void *)(copy.data + 2 * size);

		record->header.type += what == 1;
		record->header.misc += what == 2;
		record->header.size = (uint16_t)(what == 3   ? 0
						 : what == 4 ? 65528
							     : record->header.size);
		record->raw_size += what == 5 ? 8 : what == 6 ? UINT32_MAX : 0;
		record->id += what == 7 ? FREC_SHM_EVENTS : 0;
		record->checksum = frec__shm_checksum((uint8_t *)record + FREC_SHM_FRAME_SIZE,
						      size - FREC_SHM_FRAME_SIZE);
		check(&copy, RECORDS - 1, what ? RECORDS - 1 : RECORDS,
		      what ? RECORDS - 3 : RECORDS, what != 0);
	}
}

// Copies the ring as a snapshot does, after one record was emitted, whose pid, tid and time become
// those of `*record`. Returns how many records were redated. Sets `*record` to what the copy has.
static uint64_t finished(struct frec_ring *ring, struct kit_record *record)
{
	struct frec_ring_copy copy = copied();
	struct frec_shm_record *raw = (void *)copy.data;
	struct kit_reading reading = {0};

	raw->pid = record->pid;
	raw->tid = record->tid;
	raw->time = record->time;
	raw->cpu = 0; // and the namespace is unknown
	raw->checksum = frec__shm_checksum(copy.data + FREC_SHM_FRAME_SIZE,
					   (size_t)copy.written - FREC_SHM_FRAME_SIZE);
	frec__ring_copy_finish(ring, &copy, true, 0);
	kit_take(&reading, &copy, RING);
	assert_int_equal(reading.count, 1);
	*record = reading.record[0];
	free(reading.record);
	return copy.redated;
}

// Times can be those of the coarse clock, which is up to a tick of the kernel behind the clock that
// says when a ring was opened.
static void a_coarse_time_is_no_other_clock(void **state)
{
	const uint64_t tick = 10000000, time = frec__monotonic() - tick;
	struct frec_ring ring;
	struct kit_record record = {.pid = 5, .tid = 6, .time = time};

	(void)state;
	emit(0, 1);
	frec__shm_refresh(rings);
	frec__shm_ring_init(&ring, rings, RING, RING_SIZE, 1);
	ring.since = time + tick;
	assert_int_equal(finished(&ring, &record), 0);
	assert_int_equal(record.time, ring.since);
	record.time = time;
	ring.since++;
	assert_int_equal(finished(&ring, &record), 1);
	assert_true(record.time >= ring.since);
	record.time = UINT64_MAX;
	assert_int_equal(finished(&ring, &record), 1);
}

// A pid that is unknown stays unknown, also in the first record of a copy.
static void unknown_pids(void **state)
{
	struct frec_pid_spaces spaces = {.own = 1};
	struct frec_ring ring;
	struct kit_record record = {.pid = UINT32_MAX, .tid = 0, .time = frec__monotonic()};

	(void)state;
	emit(0, 1);
	frec__shm_refresh(rings);
	frec__shm_ring_init(&ring, rings, RING, RING_SIZE, 1);
	ring.spaces = &spaces;
	finished(&ring, &record);
	assert_int_equal(record.pid, UINT32_MAX);
	assert_int_equal(record.tid, 0);
}

static uint64_t seed = 88172645463325252u;

static uint64_t random_number(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

// Overwrites everything but the header, which services cannot write, at random places and with
// random and special numbers.
static void hostile_memory(void **state)
{
	static const uint64_t special[] = {
		0, 1, 7, UINT32_MAX, UINT64_MAX, INT64_MAX, FREC_SHM_READY, RING_SIZE, 65528};

	(void)state;
	emit(0, 900);
	for (int round = 0; round < 3000; round++) {
		size_t writes = 1 + random_number() % 40;
		struct kit_reading reading;

		for (size_t i = 0; i < writes; i++) {
			size_t sections[] = {rings->layout.table, rings->layout.table + 64 * 1024,
					     rings->layout.controls, rings->layout.rings,
					     rings->layout.rings + RING_SIZE};
			size_t begin = sections[random_number() % 5];
			size_t reach = random_number() % 2 ? 4096 : RING_SIZE;
			uint64_t value = random_number() % 2
						 ? random_number()
						 : special[random_number() %
							   (sizeof(special) / sizeof(special[0]))];
			size_t at = begin + random_number() % reach;

			memcpy(memory + at, &value,
			       at + 8 <= rings->layout.size ? 1 + random_number() % 8 : 1);
		}
		reading = kit_read(rings);
		for (size_t i = 0; i < reading.count; i++)
			assert_int_equal(reading.record[i].thread, 7);
		free(reading.record);
		if (round % 100 == 0)
			emit(900, 950);
	}
}

// If the table is full, the service continues without the event. If the table contains nonsense,
// the reader ignores it.
static void full_table(void **state)
{
	struct frec_shm_table *table = (void *)(memory + rings->layout.table);
	struct frec_shm_rings *other;

	(void)state;
	for (size_t i = 0; i < FREC_SHM_EVENTS; i++)
		table->slot[i] = (struct frec_shm_slot){.state = FREC_SHM_READY,
							.offset = (uint32_t)(i * 977),
							.size = (uint32_t)(i * 31)};
	assert_int_equal(frec__shm_refresh(rings), 0);
	memset(rings->known, 0, sizeof(rings->known));
	table->slot[0] = (struct frec_shm_slot){
		.state = FREC_SHM_READY, .offset = UINT32_MAX - 63, .size = 64};
	table->slot[1] = (struct frec_shm_slot){
		.state = FREC_SHM_READY, .offset = 0, .size = UINT32_MAX - 7};
	assert_int_equal(frec__shm_refresh(rings), 0);
	other = kit_create_for(1, RING_SIZE, 0);
	assert_non_null(other);
	table = (void *)(kit_map(other) + other->layout.table);
	for (size_t i = 0; i < FREC_SHM_EVENTS; i++)
		table->slot[i] = (struct frec_shm_slot){.state = FREC_SHM_READY,
							.offset = UINT32_MAX - (uint32_t)i,
							.size = UINT32_MAX};
	frec__shm_disown(rings->map, offsetof(struct frec_shm_header, owner));
	assert_int_equal(frec__shm_attach(frec__shm_fd(other)), 0);
	assert_false(frec_kit_tick_enabled());
	assert_int_equal(frec_kit_tick(1, 1, ""), 0);
	assert_int_equal(frec__shm_refresh(other), 0);
	// The table has free slots but no room for declarations.
	memset(table, 0, sizeof(table->slot));
	table->used = FREC_SHM_DECLARATIONS_SIZE - 8;
	frec__shm_register(&frec__this_object);
	assert_false(frec_kit_tick_enabled());
	table->used = 0;
	frec__shm_register(&frec__this_object);
	assert_true(frec_kit_tick_enabled());
	munmap((uint8_t *)table - other->layout.table, other->layout.size);
	frec__shm_destroy(other);
}

static void only_whole_memory_is_attached(void **state)
{
	struct frec_shm_rings *other = kit_create_for(1, RING_SIZE, 0);
	int plain = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	(void)state;
	assert_int_equal(frec__shm_attach(frec__shm_fd(other)), -EALREADY);
	frec__shm_disown(rings->map, offsetof(struct frec_shm_header, owner));
	assert_int_equal(frec__shm_attach(-1), -EBADF);
	assert_int_equal(frec__shm_attach(plain), -EPROTO);
	assert_int_equal(frec__shm_attach(STDIN_FILENO), -EPROTO);
	// A memfd that can shrink is refused, because services could get a SIGBUS later.
	assert_int_equal(ftruncate(plain, (off_t)rings->layout.size), 0);
	assert_int_equal(pwrite(plain, other->map, sizeof(struct frec_shm_header), 0),
			 sizeof(struct frec_shm_header));
	assert_int_equal(frec__shm_attach(plain), -EPROTO);
	assert_int_equal(ftruncate(frec__shm_fd(other), 4096), -1); // sealed
	assert_int_equal(frec__shm_attach(frec__shm_fd(rings)), -EOWNERDEAD);
	assert_int_equal(frec__shm_attach(frec__shm_fd(other)), 0);
	close(plain);
	frec__shm_destroy(other);
}

// Forks a child, whose birth is announced to the recorder, and with `says_end` its end too. Returns
// the pid after the child has ended.
static pid_t fork_child(bool says_end)
{
	pid_t child = fork();

	if (!child) {
		if (says_end)
			frec__shm_announce_end();
		_exit(0);
	}
	waitpid(child, NULL, 0);
	return child;
}

static void expect_birth(uint32_t pid, bool ends)
{
	struct frec_shm_birth birth;

	assert_true(frec__shm_next_birth(rings, &birth));
	assert_int_equal(birth.pid, pid);
	assert_int_equal(birth.ends, ends);
}

static void forks_are_announced(void **state)
{
	struct frec_shm_table *table = (void *)(memory + rings->layout.table);
	struct frec_shm_birth birth;
	uint32_t first, second, last = 0;
	size_t count = 0;
	int status;
	pid_t child;

	(void)state;
	assert_false(frec__shm_next_birth(rings, &birth));
	first = (uint32_t)fork_child(false);
	second = (uint32_t)fork_child(true);
	expect_birth(first, false);
	expect_birth(second, false);
	expect_birth(second, true);
	assert_false(frec__shm_next_birth(rings, &birth));
	// This process attached to the memory and was not forked since, so it announces no end.
	assert_false(frec__shm_announce_end());

	// An entry that is still being filled in is waited for, but not for ever.
	table->forks++;
	assert_false(frec__shm_next_birth(rings, &birth));
	first = (uint32_t)fork_child(false);
	assert_false(frec__shm_next_birth(rings, &birth));
	table->forks += FREC_SHM_FORKS / 2;
	expect_birth(first, false);

	// If there are more births than fit into the ring, the youngest are read. Reading ends even
	// if the count is wrong.
	for (uint32_t at = table->forks, i = 1; i <= 3 * FREC_SHM_FORKS; i++, at++)
		table->forked[at % FREC_SHM_FORKS] = frec__shm_birth(at, i);
	table->forks += 3 * FREC_SHM_FORKS;
	while (frec__shm_next_birth(rings, &birth)) {
		assert_true(birth.pid > last && ++count <= FREC_SHM_FORKS);
		last = birth.pid;
	}
	assert_int_equal(last, 3 * FREC_SHM_FORKS);
	table->forks -= 7;
	while (frec__shm_next_birth(rings, &birth))
		assert_true(++count <= 3 * FREC_SHM_FORKS);

	// A child whose recorder is dead says that it has told nobody.
	child = fork();
	if (!child) {
		bool told = frec__shm_announce_end();

		frec__shm_disown(rings->map, offsetof(struct frec_shm_header, owner));
		_exit(!told + 2 * frec__shm_announce_end());
	}
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(forks_are_announced),
		EACH(every_byte_counts),
		EACH(the_newest_and_the_oldest_count_as_well),
		EACH(full_rings),
		EACH(a_position_that_was_overwritten),
		EACH(a_lap_behind),
		EACH(right_checksums),
		EACH(a_coarse_time_is_no_other_clock),
		EACH(unknown_pids),
		EACH(hostile_memory),
		EACH(full_table),
		EACH(only_whole_memory_is_attached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
