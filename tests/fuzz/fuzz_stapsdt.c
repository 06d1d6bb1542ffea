// SPDX-License-Identifier: MIT
// Whatever the notes of a program's USDT probes are, the child that reads them stays within them,
// and the recorder makes probes of what the child says. The input is the section of notes in an
// intact ELF file; it is also taken for the arguments of a probe.
#include <elf.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "recorder/declared/file_reader.h"
#include "recorder/declared/usdt_operand.h"
#include "recorder/sources/stapsdt.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char names[] = "\0.note.stapsdt\0.shstrtab";

struct file {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	Elf64_Shdr section[3];
	char names[sizeof(names)];
};

static int make_file(const uint8_t *notes, size_t size)
{
	struct file file = {
		.header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				       EV_CURRENT},
			   .e_type = ET_DYN,
			   .e_machine = EM_X86_64,
			   .e_version = EV_CURRENT,
			   .e_phoff = offsetof(struct file, segment),
			   .e_shoff = offsetof(struct file, section),
			   .e_ehsize = sizeof(Elf64_Ehdr),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = 1,
			   .e_shentsize = sizeof(Elf64_Shdr),
			   .e_shnum = 3,
			   .e_shstrndx = 2},
		.segment = {.p_type = PT_LOAD,
			    .p_flags = PF_R | PF_X,
			    .p_filesz = sizeof(struct file),
			    .p_memsz = sizeof(struct file)},
		.section = {{0},
			    {.sh_name = 1,
			     .sh_type = SHT_NOTE,
			     .sh_offset = sizeof(struct file),
			     .sh_size = size,
			     .sh_addralign = 4},
			    {.sh_name = 15,
			     .sh_type = SHT_STRTAB,
			     .sh_offset = offsetof(struct file, names),
			     .sh_size = sizeof(names)}},
	};
	int fd = memfd_create("probes", MFD_CLOEXEC);

	memcpy(file.names, names, sizeof(names));
	require(write(fd, &file, sizeof(file)) == sizeof(file));
	require(write(fd, notes, size) == (ssize_t)size);
	return fd;
}

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
	file.fd = make_file(data, size);
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
