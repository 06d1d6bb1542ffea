/* SPDX-License-Identifier: MIT */
/* The kernel's user_events_data file: opening it, and registering events with it. */
#ifndef FREC_RECORDER_SERVICE_DATA_FILE_H
#define FREC_RECORDER_SERVICE_DATA_FILE_H

#include <stdbool.h>
#include <stdint.h>

/* The number of the bit in an event's enable word that the kernel sets while the event is
 * recorded. */
#define FREC__USER_EVENTS_BIT 31

/*
 * The first function opens user_events_data in tracefs, the second duplicates a descriptor of it.
 * Both return a close-on-exec descriptor or a negative errno. If possible, the descriptor's number
 * is high and above that of the descriptor returned before. Only one thread may be in these
 * functions at a time.
 */
int frec__data_file_open(void);
int frec__data_file_duplicate(int fd);

/* Returns whether `fd`, the last descriptor that these two functions returned, still refers to the
 * same file. */
bool frec__data_file_is_ours(int fd);

/* Checks that `fd` is user_events_data, open for writing. Returns 0, -ENOTTY if it is another kind
 * of file, or -EBADF if it is not open for writing. */
int frec__data_file_check(int fd);

/*
 * Registers the event `declaration`, whose enable word is at `enabled`: the kernel sets and clears
 * `bit` in that word. Sets *ret_index to the kernel's number for the event. Returns 0 or a negative
 * errno; -EADDRINUSE if the event exists with other fields and the kernel allows only one layout
 * for each name.
 */
int frec__data_file_register(int fd, const char *declaration, uint32_t *enabled, int bit,
			     uint32_t *ret_index);

/* Unregisters the event whose enable word is at `enabled`, and clears `bit` in that word. Returns 0
 * or a negative errno; -ENOENT if the event is not registered. */
int frec__data_file_unregister(int fd, const uint32_t *enabled, int bit);

#endif
