// SPDX-License-Identifier: MIT
// Whatever the notes of a program's USDT probes are, the child that reads them stays within them,
// and the recorder makes probes of what the child says. The input is the section of notes in an
// intact ELF file; it is also taken for the arguments of a probe.
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recorder/declared/file_reader.h"
#include "recorder/declared/usdt_operand.h"
#include "recorder/sources/stapsdt.h"
#include "tests/data/note_file.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Takes the child's part. It is a thread here, so that the fuzzer sees what it does.
static void *serve(void *socket)
{
	frec__file_contents_serve(NULL, *(int *)socket);
	return NULL;
}

static int start_child(void)
{
	static int sockets[2];
	pthread_t thread;

	require(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets));
	require(!pthread_create(&thread, NULL, serve, &sockets[1]));
	return sockets[0];
}

// Collects the child's messages about a file, as file_reader.c does.
static void ask_child(int child, struct frec_file *file)
{
	const struct frec_question question = {.kinds = FREC_LOOK_PROBES};
	const struct iovec part = {(void *)(uintptr_t)&question, sizeof(question)};
	static uint8_t message[FREC_FINDING_MAX];
	struct frec_finding finding;

	require(!frec__worker_send(child, &part, 1, file->fd));
	for (;;) {
		ssize_t n = frec__worker_receive(child, message, sizeof(message), NULL, 0);

		require(n >= (ssize_t)sizeof(finding));
		memcpy(&finding, message, sizeof(finding));
		require(finding.size == (size_t)n - sizeof(finding));
		if (finding.kind == FREC_FINDING_END)
			return;
		file->finding = realloc(file->finding, file->size + (size_t)n);
		memcpy(file->finding + file->size, message, (size_t)n);
		file->size += (size_t)n;
	}
}

static void check_arguments(const uint8_t *data, size_t size)
{
	static const uint16_t machines[] = {EM_X86_64, EM_AARCH64};
	struct frec_usdt_place places[FREC_USDT_ARGUMENTS_MAX];
	char *text = strndup((const char *)data, size);

	for (size_t i = 0; i < 2; i++) {
		const struct frec_usdt_site_text site = {.machine = machines[i]};
		uint32_t count = frec__usdt_operands_parse(&site, text, places);

		for (uint32_t j = 0; j < count && j < FREC_USDT_ARGUMENTS_MAX; j++)
			require(!(places[j].flags & FREC_USDT_READABLE) ||
				(places[j].size && places[j].size <= 8 && places[j].scale <= 4));
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frec_usdt_probes probes = {0};
	struct frec_file file = {.fd = -1};
	static int child = -1;
	int r;

	if (child < 0)
		child = start_child();
	check_arguments(data, size);
	file.fd = make_note_file(EM_X86_64, data, size, size);
	require(file.fd >= 0);
	ask_child(child, &file);
	r = frec__stapsdt_take(&probes, &file, "*", "*");
	require(!r || r == -E2BIG);
	for (size_t i = 0; i < probes.count; i++) {
		require(*probes.probe[i].provider && *probes.probe[i].name);
		require(probes.probe[i].arguments <= FREC_USDT_ARGUMENTS_MAX);
		require(probes.probe[i].sites);
	}
	frec__usdt_probes_deinit(&probes);
	free(file.finding);
	close(file.fd);
	return 0;
}
