// SPDX-License-Identifier: MIT
// Proves that packets packed by hand equal those that protobuf-c packs from the schema: it unpacks
// a trace, knows every field in it, and packs it to the same bytes again.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "export/export.h"
#include "export/pack.h"
#include "perfetto_trace.pb-c.h"
#include "tests/data/make_snapshot.h"

static void require_known(const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *descriptor = message->descriptor;

	if (message->n_unknown_fields)
		fail_msg("field %u of %s is not in the schema", message->unknown_fields[0].tag,
			 descriptor->name);
	for (unsigned int i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
		const void *member = (const uint8_t *)message + field->offset;
		const ProtobufCMessage *const *messages = member;
		size_t count = 1;

		if (field->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		if (field->label == PROTOBUF_C_LABEL_REPEATED) {
			count = *(const size_t *)((const uint8_t *)message +
						  field->quantifier_offset);
			messages = *(const ProtobufCMessage *const *const *)member;
		}
		for (size_t k = 0; k < count; k++) {
			if (messages[k])
				require_known(messages[k]);
		}
	}
}

static uint8_t *export_trace(const struct make_options *options, size_t *ret_size)
{
	struct frec_error error = {0}, trouble;
	struct frec_snapshot snapshot;
	struct frec_output output;
	const struct frec_export_target target = {frec__writer_find("perfetto"), &output};
	const struct frec_export_job job = {&(struct frec_snapshot *){&snapshot}, 1, &target, 1,
					    .filter = NULL};
	struct made_file file;
	int in = memfd_create("snapshot", MFD_CLOEXEC), out = memfd_create("trace", MFD_CLOEXEC);
	uint8_t *trace;

	make_small(&file, options);
	assert_int_equal(write(in, file.data, file.size), file.size);
	free(file.data);
	assert_int_equal(frec__snapshot_open_fd(&snapshot, in, "memory", &error), 0);
	assert_int_equal(frec__output_open_stream(&output, out, &error), 0);
	assert_int_equal(frec__export(&job, &trouble, &error), 0);
	assert_int_equal(frec__output_commit(&output, &error), 0);
	frec__snapshot_close(&snapshot);
	*ret_size = (size_t)lseek(out, 0, SEEK_CUR);
	trace = malloc(*ret_size);
	assert_non_null(trace);
	assert_int_equal(pread(out, trace, *ret_size, 0), *ret_size);
	close(out);
	return trace;
}

static void a_trace_packs_to_itself(void **state)
{
	const struct make_options options[] = {{0},
					       {.hostile = true},
					       {.wrapped = true, .zstd = true},
					       {.no_crash = true},
					       {.stacks = true}};

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		size_t size;
		uint8_t *bytes = export_trace(&options[i], &size), *again = malloc(size);
		Perfetto__Protos__Trace *trace = perfetto__protos__trace__unpack(NULL, size, bytes);

		assert_non_null(trace);
		assert_true(trace->n_packet > 10);
		require_known(&trace->base);
		assert_int_equal(perfetto__protos__trace__get_packed_size(trace), size);
		assert_non_null(again);
		perfetto__protos__trace__pack(trace, again);
		assert_memory_equal(again, bytes, size);
		perfetto__protos__trace__free_unpacked(trace, NULL);
		free(again);
		free(bytes);
	}
}

// Tests, among others, the sizes on both sides of each step at which the encoded size takes another
// byte.
static void lengths(void **state)
{
	static const size_t sizes[] = {0, 1, 127, 128, 16383, 16384, 100000};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t *made = malloc(sizes[i] + 16), *expected = malloc(sizes[i] + 16),
			*content = malloc(sizes[i] + 1);
		uint8_t *start, *made_end, *expected_end;

		memset(content, 'x', sizes[i] + 1);
		start = frec__pack_begin(made, 327);
		memcpy(start, content, sizes[i]);
		made_end = frec__pack_end(start, start + sizes[i]);
		expected_end = frec__pack_bytes(expected, 327, content, sizes[i]);
		assert_int_equal(made_end - made, expected_end - expected);
		assert_memory_equal(made, expected, (size_t)(made_end - made));
		free(made);
		free(expected);
		free(content);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_trace_packs_to_itself),
		cmocka_unit_test(lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
