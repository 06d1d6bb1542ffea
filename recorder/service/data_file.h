/* SPDX-License-Identifier: MIT */
/* The kernel's user_events_data file: its descriptor, and what can be asked of it. */
#ifndef FREC_RECORDER_SERVICE_DATA_FILE_H
#define FREC_RECORDER_SERVICE_DATA_FILE_H

#include <stdbool.h>
#include <stdint.h>

/* The bit of the enable word that user_events sets. */
#define FREC__USER_EVENTS_BIT 31

/*
 * Opens the file in tracefs, or takes over a descriptor of it: both return a close-on-exec
 * descriptor out of the way of the program's own, with another number than the last one had, or a
 * negative errno. One thread at a time.
 */
int frec__data_file_open(void);
int frec__data_file_duplicate(int fd);

/* Whether `fd`, the last one that these returned, is neither closed nor another file by now. */
bool frec__data_file_is_ours(int fd);

/* Returns 0, -ENOTTY where `fd` is another kind of file, -EBADF where it cannot be written to. */
int frec__data_file_check(int fd);

/*
 * Registers the event `declaration`, whose enable word is at `enabled`: the kernel sets and clears
 * `bit` in it. Returns 0 or a negative errno; -EADDRINUSE where the event exists with other fields,
 * on kernels that allow one layout a name.
 */
int frec__data_file_register(int fd, const char *declaration, uint32_t *enabled, int bit,
			     uint32_t *ret_index);

/* Ends that, and clears the bit. Returns 0 or a negative errno, -ENOENT where there was nothing. */
int frec__data_file_unregister(int fd, const uint32_t *enabled, int bit);

#endif
