// SPDX-License-Identifier: MIT
// Whatever the bytes, import neither crashes nor reads out of bounds, and it writes a valid
// snapshot or, if it fails, none. tests/data/make_perf_data.c makes the seeds.
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "export/read/input.h"
#include "export/timeline/events.h"
#include "recorder/import/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frec_import_result result;
	struct frec_snapshot snapshot;
	struct frec_events events;
	struct frec_error error;
	char output[64];
	int fd = memfd_create("perf.data", MFD_CLOEXEC);

	snprintf(output, sizeof(output), "%s/fuzz-perf-data-%d.frec",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", getpid());
	if (fd < 0)
		return 0;
	if (write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET)) {
		close(fd);
		return 0;
	}
	if (frec__import(fd, "input", output, NULL, &result, &error)) {
		if (!access(output, F_OK))
			abort();
		return 0;
	}
	if (frec__input_open(&snapshot, output, &error) || snapshot.damage.code)
		abort();
	unlink(output);
	if (!frec__events_init(&events, &snapshot, NULL, NULL, &error)) {
		while (frec__events_next(&events))
			;
		frec__events_deinit(&events);
	}
	frec__input_close(&snapshot);
	return 0;
}
