// SPDX-License-Identifier: MIT
// Whatever the child says that reads the files of strangers (it may have been taken over by one of
// them), the recorder stays within its messages and within the bounds of file_reader.h, and what it
// keeps is well-formed. The first byte of the input chooses how deep libraries are looked up; the
// rest are messages, each after its size in two bytes. A size of 0 closes the socket.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "recorder/declared/declared_files.h"
#include "recorder/declared/declared_kinds.h"
#include "recorder/declared/file_reader.h"
#include "recorder/sources/stapsdt.h"
#include "tests/fuzz/require.h"

#define MESSAGES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void (*take)(void *context, struct frec_file *file); // what the recorder does with a file

// A child that has ended already, for the recorder to reap.
static pid_t ended_child(void)
{
	pid_t pid = vfork();

	if (!pid)
		_exit(0);
	return pid;
}

static void found_sites(void *context, int fd, const struct frec_site *sites, size_t count)
{
	const struct frec_declarations *declarations = context;

	require(fd >= 0 && count);
	for (size_t i = 0; i < count; i++)
		require(sites[i].event < declarations->count);
}

static void take_file(void *context, struct frec_file *file)
{
	struct frec_usdt_probes probes = {0};

	require(file->size <= FREC_FILES_FILE_SIZE && file->findings <= FREC_FILES_FILE_COUNT);
	frec__stapsdt_take(&probes, file, "*", "*");
	frec__usdt_probes_deinit(&probes);
	take(context, file);
}

// Makes the reader of `declarations` believe that it has a child. Returns the child's end.
static int put_child(struct frec_declarations *declarations)
{
	static const char read_before[] = "/etc/passwd";
	struct stat status;
	int ends[2];

	// This file counts as read, so that adding it makes the reader and nothing else.
	require(!stat(read_before, &status));
	declarations->file = calloc(8, sizeof(*declarations->file));
	declarations->file[0] = (struct frec_declaration_file){
		.device = status.st_dev, .inode = status.st_ino, .changed = status.st_ctim};
	declarations->files = 1;
	declarations->found_sites = found_sites;
	declarations->context = declarations;
	require(!frec__declarations_add_file(declarations, read_before, false));
	require(declarations->reader);
	take = declarations->reader->done;
	declarations->reader->done = take_file;
	// The child comes first, so that it does not hold the sockets for a moment.
	declarations->reader->worker[0].pid = ended_child();
	require(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends));
	declarations->reader->worker[0].fd = ends[0];
	return ends[1];
}

static void check(const struct frec_declarations *declarations)
{
	for (size_t i = 0; i < declarations->count; i++) {
		const struct frec_declared *event = &declarations->event[i];
		struct frec_format format;

		require(*event->provider && *event->name);
		free(frec__declared_registration(event));
		if (!frec__declared_format(event, &format))
			frec__format_deinit(&format);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frec_declarations declarations = {0};
	struct frec_file file = {.kinds = 15, .uid = 1000};
	int child;

	if (!size)
		return 0;
	file.fd = memfd_create("file", MFD_CLOEXEC);
	file.path = strdup("/nowhere/file");
	child = put_child(&declarations);
	file.depth = data[0] & 1;
	require(!frec__file_reader_add(declarations.reader, &file));
	frec__declarations_work(&declarations);
	data++;
	size--;
	for (int i = 0; i < MESSAGES_MAX && size >= 2; i++) {
		size_t length = data[0] | data[1] << 8;

		data += 2;
		size -= 2;
		if (!length)
			break;
		length = length < size ? length : size;
		if (send(child, data, length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
		data += length;
		size -= length;
		frec__declarations_work(&declarations);
	}
	close(child);
	for (int i = 0; i < 2; i++)
		frec__declarations_work(&declarations);
	require(!declarations.reader->reading && !declarations.reader->count);
	check(&declarations);
	frec__declarations_deinit(&declarations);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return 0;
}
