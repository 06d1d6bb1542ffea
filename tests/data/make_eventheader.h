/* SPDX-License-Identifier: MIT */
/* Builds payloads that contain their own description, as LinuxTracepoints emits them, and makes
 * .frec files of them. */
#ifndef FREC_TESTS_MAKE_EVENTHEADER_H
#define FREC_TESTS_MAKE_EVENTHEADER_H

#include "export/read/eventheader_layout.h"
#include "tests/data/make_snapshot.h"

#define EH_RAW_NAME "Test_Provider_L4K2aGgroup"

/* Flags of a header. */
#define EH_POINTER64 1
#define EH_LITTLE 2
#define EH_EXTENSION 4

/* The opcode of a header: whether the event starts or stops an activity. */
enum { EH_INFO, EH_START, EH_STOP };

/* A payload under construction. Description and data are joined at the end. */
struct eh_payload {
	bool big;
	uint8_t metadata[65536], data[65536];
	size_t metadata_size, data_size;
};

/* Append to the description (eh_name(), and eh_number() with `metadata`) or to the data. */
void eh_number(struct eh_payload *payload, bool metadata, uint64_t value, size_t size);
void eh_name(struct eh_payload *payload, const char *name); /* the first call names the event */
void eh_bytes(struct eh_payload *payload, const void *data, size_t size);

/* `encoding` includes the flags for arrays. `length` is the number of elements of an array of fixed
 * length. */
void eh_field(struct eh_payload *payload, const char *name, uint8_t encoding, uint8_t format,
	      uint16_t length);

/* Writes the payload to `ret` in the form that tracepoints emit, and returns its size. `activities`
 * holds up to two ids of 16 bytes: that of the event's activity, and then that of the activity that
 * contains it. */
size_t eh_finish(struct eh_payload *payload, uint8_t opcode, uint16_t id, uint16_t tag,
		 const uint8_t *activities, size_t activities_size, uint8_t *ret);

/* Makes a file with one tracepoint, which has emitted these payloads at 1000 ns, 1001 ns and so on,
 * from the threads `tids` of process 42 (NULL: from its main thread). */
void make_eventheader(struct made_file *ret, const uint8_t *const *payloads, const size_t *sizes,
		      const uint32_t *tids, uint32_t count);

/* Makes a file with these activities: the request /pay, which one thread begins and another ends; a
 * database query, which is part of that request; the request /left, which stays open; a step
 * without an id; and the stop of an activity whose start is missing. */
void make_activities(struct made_file *ret);

/* Makes a file with events that have a field of each encoding and most formats, in both byte
 * orders. */
void make_eventheader_fields(struct made_file *ret);

#endif
