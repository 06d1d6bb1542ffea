// SPDX-License-Identifier: MIT
// Whatever payloads say about themselves, exporting them in two formats neither crashes nor reads
// outside them. The export looks up their descriptions, values and shapes. The input is up to 16
// payloads of one tracepoint, each after its size in two bytes. The file around them is intact.
// Seeds: the payloads of tests/data/make_snapshot OUT activities and OUT fields.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "export/export.h"
#include "export/read/input.h"
#include "tests/data/make_eventheader.h"
#include "tests/fuzz/require.h"

#define PAYLOADS_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void export(const struct made_file *file)
{
	static int null_device = -1;
	struct frec_snapshot snapshot, *snapshots = &snapshot;
	struct frec_output outputs[2];
	const struct frec_export_target targets[] = {{&frec__writer_json, &outputs[0]},
						     {&frec__writer_otlp_traces, &outputs[1]}};
	const struct frec_export_job job = {&snapshots, 1, targets, 2, .filter = NULL};
	struct frec_error error, trouble;
	int fd = memfd_create("snapshot", MFD_CLOEXEC);

	if (null_device < 0)
		null_device = open("/dev/null", O_WRONLY | O_CLOEXEC);
	require(write(fd, file->data, file->size) == (ssize_t)file->size);
	require(!frec__input_open_fd(&snapshot, fd, "memory", &error));
	for (int i = 0; i < 2; i++)
		require(!frec__output_open_stream(&outputs[i], null_device, &error));
	require(!frec__export(&job, &trouble, &error));
	for (int i = 0; i < 2; i++)
		require(!frec__output_commit(&outputs[i], &error));
	frec__input_close(&snapshot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *payloads[PAYLOADS_MAX];
	size_t sizes[PAYLOADS_MAX];
	struct made_file file;
	uint32_t count = 0;

	while (size >= 2 && count < PAYLOADS_MAX) {
		size_t length = data[0] | data[1] << 8;

		data += 2;
		size -= 2;
		length = length < size ? length : size;
		payloads[count] = data;
		sizes[count++] = length;
		data += length;
		size -= length;
	}
	make_eventheader(&file, payloads, sizes, NULL, count);
	export(&file);
	free(file.data);
	return 0;
}
