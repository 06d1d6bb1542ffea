// SPDX-License-Identifier: MIT
// A service of a user that puts the pids of other people's processes into its shared memory.
//
//	impostor SOCKET		attaches to the recorder there: "ready PID", or why it cannot
//
//	emit N PID		emits N beats that say that they are of process PID: "ok"
#include <flightrec/event.h>
#include <flightrec/recorder.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "recorder/service/shm_identity.h"

FREC_EVENT(accept, beat, FREC_U64(sequence), FREC_STR(text), FREC_I32(negative));

int main(int argc, char **argv)
{
	char error[400] = "";
	struct frec_recorder_options options = {.size = sizeof(options),
						.socket = argc > 1 ? argv[1] : "",
						.error = error,
						.error_size = sizeof(error)};
	struct frec_recorder *recorder;
	unsigned long count, pid;
	char line[256];

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (frec_recorder_start(&options, &recorder)) {
		printf("failed %s\n", error);
		return 1;
	}
	printf("ready %d\n", (int)getpid());
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "emit %lu %lu", &count, &pid) != 2)
			return 2;
		frec__shm_self.pid = frec__shm_self.tid = *frec__shm_process = (uint32_t)pid;
		for (unsigned long i = 1; i <= count; i++)
			frec_accept_beat(i, pid == (unsigned long)getpid() ? "the truth" : "a lie",
					 -(int32_t)i);
		printf("ok\n");
	}
	return 0;
}
