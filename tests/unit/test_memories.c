// SPDX-License-Identifier: MIT
// Proves that each user has a share of the shared memories, and that a memory is given back when
// nobody needs it, together with its rings, its sources and the memory for copies of its rings.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/clocks.h"
#include "recorder/memories.h"
#include "recorder/rings/shm_ring.h"
#include "recorder/rings/shm_rings.h"

#define RING (64u << 10)
#define STRANGER 70000u
#define LIFE 7u // frec_process.life of all clients

static struct frec_selections selections;
static struct frec_process_table processes;
static struct frec_watchlist watchlist;
static struct frec_ring_set rings;
static struct frec_source_set sources;
static struct frec_memories memories;
static uint32_t awaited_uid;

static bool is_awaited(void *context, uint32_t uid)
{
	(void)context;
	return uid == awaited_uid;
}

static int setup(void **state)
{
	(void)state;
	processes = (struct frec_process_table){0};
	frec__ring_set_init(&rings, RING);
	sources =
		(struct frec_source_set){.rings = &rings, .selections = &selections, .tracefs = -1};
	memories = (struct frec_memories){.sources = &sources,
					  .processes = &processes,
					  .watchlist = &watchlist,
					  .awaited = is_awaited};
	frec__pid_spaces_init(&memories.spaces);
	awaited_uid = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	frec__source_set_deinit(&sources);
	frec__ring_set_deinit(&rings);
	frec__memories_deinit(&memories);
	frec__process_table_deinit(&processes);
	return 0;
}

// Returns 0 if the user has a memory afterwards, or a negative errno.
static int attach(uint32_t uid)
{
	const struct frec_watched self = {.pid = (uint32_t)getpid(), .life = LIFE};
	struct frec_error error = {0};
	int r = frec__memories_fd(&memories, uid, (uint32_t)getpid(), &error);

	if (r < 0)
		return r;
	assert_int_equal(frec__memories_enter(&memories, uid, &self), 0);
	return 0;
}

static bool has_rings(uint32_t uid)
{
	for (size_t i = 0; i < rings.count; i++) {
		if (rings.ring[i].uid == uid)
			return true;
	}
	return false;
}

static void strangers_leave_room_for_root(void **state)
{
	int had = 0;

	(void)state;
	for (uint32_t i = 0; i < 10; i++)
		had += !attach(STRANGER + i);
	assert_int_equal(had, FREC_MEMORIES_MAX / 4 * 3);
	assert_int_equal(attach(STRANGER + 9), -EDQUOT);
	assert_int_equal(attach(0), 0);
	assert_int_equal(attach(STRANGER), 0);
}

// A memory whose users are gone is given back when its place is needed.
static void a_place_is_given_to_others(void **state)
{
	(void)state;
	memories.patience = UINT64_MAX;
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(attach(STRANGER + i), 0);
	assert_int_equal(attach(STRANGER + 6), -EDQUOT);
	// All of these have the life of this process, so one after the other leaves.
	frec__memories_leave(&memories, LIFE);
	awaited_uid = STRANGER;
	assert_int_equal(attach(STRANGER + 6), -EDQUOT);
	awaited_uid = 0;
	assert_true(has_rings(STRANGER));
	assert_int_equal(attach(STRANGER + 6), 0);
	assert_false(has_rings(STRANGER));
	assert_true(has_rings(STRANGER + 6));
	assert_int_equal(attach(STRANGER), -EDQUOT);
}

// The rings and sources of the others stay what they are, whatever comes before them.
static void the_others_stay(void **state)
{
	size_t per_memory, before;

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		struct frec_source source = {.uid = STRANGER + i};

		assert_int_equal(attach(STRANGER + i), 0);
		source.shm = rings.ring[rings.count - 1].shm;
		source.shm_event = i;
		assert_int_equal(frec__source_set_add(&sources, &source, NULL), 0);
	}
	per_memory = rings.count / 3;
	before = rings.capture.rings_room;
	for (size_t i = 0; i < rings.count; i++)
		sources.source[2].perf_id[i] = 100 + i;
	frec__memories_leave(&memories, LIFE);
	frec__memories_give_back(&memories);
	assert_int_equal(rings.count, 2 * per_memory);
	assert_int_equal(rings.capture.rings_room, before - per_memory);
	assert_false(has_rings(STRANGER));
	assert_int_equal(sources.count, 2);
	assert_int_equal(sources.source[0].shm_event, 1);
	assert_int_equal(sources.source[1].shm_event, 2);
	assert_int_equal(sources.source[1].opened, 2 * per_memory);
	for (size_t i = 0; i < rings.count; i++)
		assert_int_equal(sources.source[1].perf_id[i], 100 + per_memory + i);
	// The same rings can be captured, and a new memory has a number of its own.
	frec__capture_take(&rings.capture, rings.ring, rings.count, sources.source, 0);
	assert_int_equal(rings.capture.rings, 2 * per_memory);
	assert_int_equal(attach(STRANGER + 3), 0);
	assert_int_equal(rings.ring[rings.count - 1].number, 1);
	assert_int_equal(rings.ring[0].number, 2);
}

static void a_memory_is_kept_for_a_while(void **state)
{

	(void)state;
	memories.patience = UINT64_MAX;
	assert_int_equal(attach(STRANGER), 0);
	assert_int_equal(attach(STRANGER), 0);
	frec__memories_leave(&memories, LIFE);
	memories.patience = 0;
	frec__memories_give_back(&memories);
	assert_true(has_rings(STRANGER)); // one connection is left
	frec__memories_leave(&memories, LIFE);
	memories.patience = UINT64_MAX;
	frec__memories_give_back(&memories);
	assert_true(has_rings(STRANGER));
	memories.patience = 0;
	awaited_uid = STRANGER;
	frec__memories_give_back(&memories);
	assert_true(has_rings(STRANGER));
	awaited_uid = 0;
	// A process that closed its connection may write on. Its end wakes the recorder, so the
	// recorder wakes only once to find out that it lives.
	frec__process_table_fork(&processes, 7, 1, 7, 1000);
	frec__process_table_find(&processes, 7)->owner.uid = STRANGER;
	frec__process_table_find(&processes, 7)->kept = true;
	assert_int_equal(attach(STRANGER), 0);
	assert_int_equal(frec__memories_idle_until(&memories), 0);
	frec__memories_leave(&memories, LIFE);
	assert_in_range(frec__memories_idle_until(&memories), 1, frec__monotonic());
	frec__memories_give_back(&memories);
	assert_true(has_rings(STRANGER));
	assert_int_equal(frec__memories_idle_until(&memories), 0);
	frec__process_table_end(&processes, 7, 2000);
	frec__memories_give_back(&memories);
	assert_false(has_rings(STRANGER));
	// The recorder's own memory is never given back.
	assert_true(frec__memories_fd(&memories, 0, 0, NULL) >= 0);
	assert_int_equal(frec__memories_idle_until(&memories), 0);
	frec__memories_give_back(&memories);
	assert_true(has_rings(0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(strangers_leave_room_for_root, setup, teardown),
		cmocka_unit_test_setup_teardown(a_place_is_given_to_others, setup, teardown),
		cmocka_unit_test_setup_teardown(the_others_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(a_memory_is_kept_for_a_while, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
