// SPDX-License-Identifier: MIT
// Crashes while a number of threads sleep in a function that a test knows by name.
//
//	core_crash THREADS write|overflow|alone
//
// "alone": another thread crashes, after the main thread has ended.
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define DEPTHS 7

static atomic_long about_to_sleep;

int sleeps_at(int depth);
int crashes(const char *how);
int overflows(int depth);

__attribute__((noinline)) int sleeps_at(int depth)
{
	int r = 1;

	if (depth > 0) {
		r = sleeps_at(depth - 1);
	} else {
		about_to_sleep++;
		pause();
	}
	__asm__ volatile("" : "+r"(r)); // keeps the call from becoming a tail call
	return r + depth;
}

static void *thread(void *number)
{
	char name[16];

	snprintf(name, sizeof(name), "sleeper-%ld", (long)number);
	prctl(PR_SET_NAME, name);
	return (void *)(long)sleeps_at((int)((long)number % DEPTHS));
}

// Returns the number of threads that are asleep, according to the kernel.
static long sleepers(void)
{
	DIR *folder = opendir("/proc/self/task");
	const struct dirent *entry;
	long count = 0;

	while (folder && (entry = readdir(folder))) {
		char path[300], state = 0;
		FILE *file;

		snprintf(path, sizeof(path), "/proc/self/task/%s/stat", entry->d_name);
		file = *entry->d_name == '.' ? NULL : fopen(path, "r");
		if (!file)
			continue;
		if (fscanf(file, "%*d (%*[^)]) %c", &state) == 1)
			count += state == 'S';
		fclose(file);
	}
	closedir(folder);
	return count;
}

__attribute__((noinline)) int overflows(int depth)
{
	volatile char page[8192];

	page[0] = (char)depth;
	return depth < 1 << 30 ? overflows(depth + 1) + page[0] : 0;
}

__attribute__((noinline)) int crashes(const char *how)
{
	if (!strcmp(how, "overflow"))
		return overflows(0);
	*(volatile int *)0x1234 = 1;
	return 1;
}

static void *crash_alone(void *unused)
{
	char state = 0;

	// Until the main thread is a zombie.
	while (state != 'Z') {
		FILE *file = fopen("/proc/self/stat", "r");

		if (!file || fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
			exit(2);
		fclose(file);
	}
	(void)unused;
	return (void *)(long)crashes("write");
}

int main(int argc, char **argv)
{
	long threads = argc == 3 ? atol(argv[1]) : 0;
	pthread_t one;

	if (threads < 1)
		return 2;
	for (long i = 1; i < threads; i++) {
		pthread_attr_t attributes;

		// The stacks are small because the kernel writes every byte of them into the core
		// dump.
		pthread_attr_init(&attributes);
		pthread_attr_setstacksize(&attributes, 65536);
		if (pthread_create(&one, &attributes, thread, (void *)i))
			return 2;
	}
	while (about_to_sleep < threads - 1 || sleepers() < threads - 1)
		usleep(1000);
	if (!strcmp(argv[2], "alone")) {
		if (pthread_create(&one, NULL, crash_alone, NULL))
			return 2;
		pthread_exit(NULL);
	}
	return crashes(argv[2]);
}
