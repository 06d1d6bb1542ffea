/* SPDX-License-Identifier: MIT */
/*
 * Proves that the sites of a program's events are found in the program's file, each with the right
 * declaration, and that a manipulated file never gets a breakpoint on anything but the no-ops of a
 * site. The program is this test.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "flightrec/event.h"
#include "recorder/declared/declared_files.h"

#define FLIPS 2000
#define SITE_SIZE 6

FREC_EVENT(site, one, FREC_U64(number), FREC_STR(text));
FREC_EVENT(site, two, FREC_BYTES(raw), FREC_I8(small));
FREC_EVENT(site, silent, FREC_U8(never));

struct found {
	const struct frec_declarations *declarations;
	size_t one, two, all, wrong;
};

static void found_sites(void *context, int fd, const struct frec_site *sites, size_t count)
{
	static const uint8_t nops[SITE_SIZE] = {0x90, 0x0f, 0x1f, 0x44, 0x00, 0x00};
	struct found *found = context;

	for (size_t i = 0; i < count; i++) {
		const struct frec_declared *event = &found->declarations->event[sites[i].event];
		uint8_t code[SITE_SIZE];
		struct stat status;

		found->all++;
		found->one += !strcmp(event->name, "one") && event->count == 2;
		found->two += !strcmp(event->name, "two") && event->count == 2;
		fstat(fd, &status);
		if (pread(fd, code, sizeof(code), (off_t)sites[i].offset) != sizeof(code) ||
		    memcmp(code, nops, sizeof(nops)) ||
		    sites[i].enable + 4 > (uint64_t)status.st_size)
			found->wrong++;
	}
}

static struct found read_file(const char *path)
{
	struct frec_declarations declarations = {0};
	struct found found = {.declarations = &declarations};

	declarations.found_sites = found_sites;
	declarations.context = &found;
	frec__declarations_add_file(&declarations, path, false);
	frec__declarations_deinit(&declarations);
	return found;
}

/* Without optimization gcc keeps the site of an event's _enabled() as well, although nothing calls
 * it. */
#ifdef __OPTIMIZE__
#define PLACES_MAX 1
#else
#define PLACES_MAX 2
#endif

static void test_own(void **state)
{
	struct found found;

	(void)state;
	frec_site_one(1, "text");
	frec_site_two("raw", 3, -1);
	found = read_file("/proc/self/exe");
	assert_in_range(found.one, 1, PLACES_MAX);
	assert_in_range(found.two, 1, PLACES_MAX);
	assert_int_equal(found.wrong, 0);
}

/* Flips bits in the notes, in the headers, and anywhere in the file. */
static void test_damaged(void **state)
{
	char path[] = "/tmp/frec-sites-XXXXXX";
	int fd = mkstemp(path), self = open("/proc/self/exe", O_RDONLY);
	struct stat status;
	uint8_t *original, *copy;
	size_t size, note, intact = 0;
	const struct found whole = read_file("/proc/self/exe");

	(void)state;
	assert_true(fd >= 0 && self >= 0 && !fstat(self, &status));
	size = (size_t)status.st_size;
	original = malloc(size);
	copy = malloc(size);
	assert_int_equal(read(self, original, size), (ssize_t)size);
	for (note = 0; note + 16 < size; note++) {
		static const uint8_t head[] = {10, 0, 0, 0, 24, 0, 0, 0, 1, 0, 0, 0, 'f', 'l'};

		if (!memcmp(original + note, head, sizeof(head)))
			break;
	}
	assert_true(note + 16 < size);
	srand(1);
	for (int i = 0; i < FLIPS; i++) {
		struct found found;
		size_t at = i % 3 == 0	 ? note + (size_t)rand() % 160
			    : i % 3 == 1 ? (size_t)rand() % 1024
					 : (size_t)rand() % size;

		memcpy(copy, original, size);
		copy[at] = (uint8_t)(copy[at] ^ (1 << rand() % 8));
		assert_int_equal(pwrite(fd, copy, size, 0), (ssize_t)size);
		found = read_file(path);
		assert_int_equal(found.wrong, 0);
		intact += found.one == whole.one && found.two == whole.two;
	}
	/* Many flips leave both sites intact, but not all of them do. */
	assert_true(intact > FLIPS / 4 && intact < FLIPS);
	unlink(path);
	close(fd);
	close(self);
	free(original);
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_own),
					   cmocka_unit_test(test_damaged)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
