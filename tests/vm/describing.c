// SPDX-License-Identifier: MIT
// describing COUNT: emits events that contain their own description, like those of
// LinuxTracepoints, through user_events and without libflightrec. It registers them, waits for a
// line, and then emits COUNT times the start of an activity, an event in it, and its stop.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/data/make_eventheader.h"

// From the kernel's <linux/user_events.h>, which is missing on some systems.
struct registration {
	uint32_t size;
	uint8_t enable_bit, enable_size;
	uint16_t flags;
	uint64_t enable_address, name;
	uint32_t index; /* the first bytes of each write */
} __attribute__((packed));

#define REGISTER _IOWR('*', 0, struct registration *)
// Size of the common fields that the kernel puts in front of a payload.
#define COMMON 8
#define NAME EH_RAW_NAME " u8 eventheader_flags; u8 version; u16 id; u16 tag; u8 opcode; u8 level"

static volatile uint32_t enabled;

static int emit(int fd, uint32_t index, struct eh_payload *payload, uint8_t opcode,
		const uint8_t *activity)
{
	static uint8_t bytes[1024];
	size_t size = eh_finish(payload, opcode, 0, 0, activity, 16, bytes);
	const struct iovec parts[] = {{&index, sizeof(index)}, {bytes + COMMON, size - COMMON}};

	*payload = (struct eh_payload){0};
	return writev(fd, parts, 2) < 0 ? -1 : 0;
}

static int emit_request(int fd, uint32_t index, uint64_t number)
{
	const uint8_t activity[16] = {1, [15] = (uint8_t)number};
	static struct eh_payload payload;
	int failed;

	eh_name(&payload, "RequestStart");
	eh_field(&payload, "order", FREC_EH_VALUE64, FREC_EH_DEFAULT, 0);
	eh_number(&payload, false, 1000 + number, 8);
	eh_field(&payload, "path", FREC_EH_ZSTRING8, FREC_EH_DEFAULT, 0);
	eh_bytes(&payload, "/pay/\xc3\xa4", 8);
	failed = emit(fd, index, &payload, EH_START, activity);
	eh_name(&payload, "Prices");
	eh_field(&payload, "cents", FREC_EH_VALUE16 | FREC_EH_VARIABLE_ARRAY, FREC_EH_SIGNED, 0);
	eh_number(&payload, false, 2, 2);
	eh_number(&payload, false, 250, 2);
	eh_number(&payload, false, (uint64_t)-7, 2);
	failed |= emit(fd, index, &payload, EH_INFO, activity);
	eh_name(&payload, "RequestStop");
	eh_field(&payload, "error", FREC_EH_VALUE32, FREC_EH_ERRNO, 0);
	eh_number(&payload, false, 2, 4);
	return failed | emit(fd, index, &payload, EH_STOP, activity);
}

int main(int argc, char **argv)
{
	struct registration registration = {.size = sizeof(registration),
					    .enable_size = sizeof(enabled),
					    .enable_address = (uintptr_t)&enabled,
					    .name = (uintptr_t)NAME};
	int fd = open("/sys/kernel/tracing/user_events_data", O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, REGISTER, &registration)) {
		perror("user_events");
		return 1;
	}
	puts("registered");
	fflush(stdout);
	getchar();
	if (!enabled) {
		fputs("no recorder\n", stderr);
		return 1;
	}
	for (uint64_t i = 1; i <= (argc > 1 ? strtoull(argv[1], NULL, 10) : 1); i++) {
		if (emit_request(fd, registration.index, i)) {
			perror("write");
			return 1;
		}
	}
	return 0;
}
