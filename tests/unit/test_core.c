// SPDX-License-Identifier: MIT
// Proves that core patterns are made, and expanded as the kernel expands them, that threads are
// read from the head of a core dump, that no byte of the input is lost even if it is not a core
// dump, and that invalid stacks are rejected.
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/user.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/part.h"
#include "recorder/core/memory.h"
#include "recorder/core/notes.h"
#include "recorder/core/pattern.h"
#include "recorder/core/socket.h"
#include "recorder/rings/registers.h"
#include "recorder/snapshot/thread_stacks.h"
#include "unwind/unwind.h"

#define TOOL "/usr/bin/flightrec"
#define SYSTEMD "|/usr/lib/systemd/systemd-coredump %P %u %g %s %t %c %h %%"

static void test_make(void **state)
{
	char pattern[FREC_CORE_PATTERN_MAX];
	char long_path[FREC_CORE_PATTERN_MAX];
	struct frec_error error = {0};

	(void)state;
	assert_int_equal(frec__core_pattern_make(TOOL, "", "core", pattern, &error), 0);
	assert_string_equal(pattern, "|" TOOL " core --kernel P%P p%p d%d c%c");
	assert_true(frec__core_pattern_is_ours(pattern));
	// Each letter of the old pattern is passed once, even if flightrec does not know the
	// letter. Letters whose values are texts come last.
	assert_int_equal(frec__core_pattern_make(TOOL, "--time=2", "|/h %h %e %Z %P %u %e %",
						 pattern, &error),
			 0);
	assert_string_equal(pattern,
			    "|" TOOL " core --time=2 --kernel P%P p%p d%d c%c Z%Z u%u h%h e%e");
	assert_int_equal(frec__core_pattern_make(TOOL, "", SYSTEMD, pattern, &error), 0);
	assert_false(frec__core_pattern_is_ours(SYSTEMD));
	assert_false(frec__core_pattern_is_ours("core"));
	// Paths that the kernel would split or cut are refused.
	assert_int_equal(
		frec__core_pattern_make("/opt/my tools/flightrec", "", "core", pattern, &error),
		-EINVAL);
	assert_int_equal(frec__core_pattern_make("flightrec", "", "core", pattern, &error),
			 -EINVAL);
	memset(long_path, 'x', sizeof(long_path));
	long_path[0] = '/';
	for (size_t size = 60; size < sizeof(long_path); size++) {
		char path[FREC_CORE_PATTERN_MAX];
		int r;

		memcpy(path, long_path, size);
		path[size] = 0;
		r = frec__core_pattern_make(path, "", SYSTEMD, pattern, &error);
		assert_true(r == -EINVAL || strlen(pattern) < FREC_CORE_PATTERN_MAX);
	}
	assert_non_null(strstr(error.message, "127"));
}

static void test_file(void **state)
{
	char *told[] = {"P4711", "p12", "emy prog", "s11", "P666", ""};
	struct frec_core_values values;
	char name[32];

	(void)state;
	frec__core_values_parse(6, told, &values);
	assert_string_equal(values.of['P'], "4711");
	assert_int_equal(frec__core_pattern_file("core", &values, false, name, sizeof(name)), 0);
	assert_string_equal(name, "core");
	assert_int_equal(frec__core_pattern_file("core", &values, true, name, sizeof(name)), 0);
	assert_string_equal(name, "core.12");
	assert_int_equal(
		frec__core_pattern_file("/c/%e-%p-%Z%%%s%", &values, true, name, sizeof(name)), 0);
	assert_string_equal(name, "/c/my prog-12-%11");
	assert_int_equal(frec__core_pattern_file("", &values, false, name, sizeof(name)), 0);
	assert_string_equal(name, "");
	assert_int_equal(frec__core_pattern_file("/a/path/that/is/longer/than/there/is/room",
						 &values, false, name, sizeof(name)),
			 -ENAMETOOLONG);
}

static void test_command(void **state)
{
	char *told[] = {"P4711", "emy prog", "h"};
	struct frec_core_values values;
	char **command;

	(void)state;
	frec__core_values_parse(3, told, &values);
	assert_int_equal(frec__core_pattern_command("| /bin/x  -p=%P %e %h 100%% %Z\t%e%e end%",
						    &values, &command),
			 0);
	assert_string_equal(command[0], "/bin/x");
	assert_string_equal(command[1], "-p=4711");
	assert_string_equal(command[2], "my prog"); // one argument, despite the blank
	assert_string_equal(command[3], "");
	assert_string_equal(command[4], "100%");
	assert_string_equal(command[5], "");
	assert_string_equal(command[6], "my progmy prog");
	assert_string_equal(command[7], "end");
	assert_null(command[8]);
	free(command);
	assert_int_equal(frec__core_pattern_command("|", &values, &command), -EINVAL);
	assert_int_equal(frec__core_pattern_command("|  ", &values, &command), -EINVAL);
}

#define NOTE_NAME "CORE\0\0\0"
#define NOTES_MAX 8

struct core {
	Elf64_Ehdr header;
	Elf64_Phdr segment[2];
	struct {
		Elf64_Nhdr head;
		char name[8];
		struct elf_prstatus status;
	} __attribute__((packed)) note[NOTES_MAX];
	char rest[100];
};

static void make_core(struct core *core)
{
	*core = (struct core){
		.header = {.e_type = ET_CORE,
			   .e_phoff = offsetof(struct core, segment),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = 2},
		.segment = {{.p_type = PT_LOAD},
			    {.p_type = PT_NOTE,
			     .p_offset = offsetof(struct core, note),
			     .p_filesz = sizeof(core->note)}},
	};
	memcpy(core->header.e_ident, ELFMAG, SELFMAG);
	core->header.e_ident[EI_CLASS] = ELFCLASS64;
	core->header.e_ident[EI_DATA] = ELFDATA2LSB;
#ifdef __x86_64__
	core->header.e_machine = EM_X86_64;
#else
	core->header.e_machine = EM_AARCH64;
#endif
	for (size_t i = 0; i < NOTES_MAX; i++) {
		core->note[i].head = (Elf64_Nhdr){.n_namesz = 5,
						  .n_descsz = sizeof(struct elf_prstatus),
						  .n_type = NT_PRSTATUS};
		memcpy(core->note[i].name, NOTE_NAME, sizeof(NOTE_NAME));
		core->note[i].status.pr_pid = (pid_t)(100 + i);
		for (size_t r = 0; r < ELF_NGREG; r++)
			core->note[i].status.pr_reg[r] = 1000 * (i + 1) + r;
	}
	memset(core->rest, 'r', sizeof(core->rest));
}

// Reads the input through a pipe. Whatever the result, the kept bytes and the rest of the pipe must
// together be the input.
static int read_core(const void *data, size_t size, size_t threads_max, struct frec_core_notes *ret)
{
	int kept = memfd_create("kept", 0), pipes[2], r;
	uint8_t *back = malloc(size + 1);
	struct frec_error error = {0};
	ssize_t first, second;

	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(write(pipes[1], data, size), size);
	close(pipes[1]);
	r = frec__core_notes_read(pipes[0], kept, threads_max, ret, &error);
	assert_true(!r || *error.message);
	first = pread(kept, back, size + 1, 0);
	assert_true(first >= 0);
	second = read(pipes[0], back + first, size + 1 - (size_t)first);
	assert_int_equal(first + second, size);
	assert_memory_equal(back, data, size);
	close(pipes[0]);
	close(kept);
	free(back);
	return r;
}

static void test_notes(void **state)
{
	struct frec_core_notes notes;
	struct core core;

	(void)state;
	make_core(&core);
	assert_int_equal(read_core(&core, sizeof(core), 100, &notes), 0);
	assert_int_equal(notes.count, NOTES_MAX);
	assert_int_equal(notes.beyond, 0);
	for (size_t i = 0; i < NOTES_MAX; i++) {
		const struct frec_unwind_registers registers = {
			frec__perf_user_registers, notes.thread[i].value,
			(size_t)__builtin_popcountll(frec__perf_user_registers)};
		uint64_t sp = frec__unwind_register(&registers, frec__perf_user_stack_pointer);

		assert_int_equal(notes.thread[i].tid, 100 + i);
#ifdef __x86_64__
		assert_int_equal(sp, 1000 * (i + 1) + offsetof(struct user_regs_struct, rsp) / 8);
		assert_int_equal(notes.thread[i].value[8],
				 1000 * (i + 1) + offsetof(struct user_regs_struct, rip) / 8);
		assert_int_equal(notes.thread[i].value[19],
				 1000 * (i + 1) + offsetof(struct user_regs_struct, r15) / 8);
#else
		assert_int_equal(sp, 1000 * (i + 1) + 31);
#endif
	}
	frec__core_notes_deinit(&notes);
	assert_int_equal(read_core(&core, sizeof(core), 3, &notes), 0);
	assert_int_equal(notes.count, 3);
	assert_int_equal(notes.beyond, NOTES_MAX - 3);
	frec__core_notes_deinit(&notes);
}

static void refuse(const struct core *core, size_t size)
{
	struct frec_core_notes notes;

	assert_true(read_core(core, size, 100, &notes) < 0);
	frec__core_notes_deinit(&notes);
}

static void test_hostile_notes(void **state)
{
	struct frec_core_notes notes;
	struct core good, core;

	(void)state;
	make_core(&good);
	// Wherever the core dump is cut, the threads before the cut are found.
	for (size_t size = 0; size < sizeof(core); size += 7) {
		int r = read_core(&good, size, 100, &notes);
		size_t whole =
			size < offsetof(struct core, note)
				? 0
				: (size - offsetof(struct core, note)) / sizeof(good.note[0]);

		assert_int_equal(notes.count, whole < NOTES_MAX ? whole : NOTES_MAX);
		assert_int_equal(!r, whole > 0);
		frec__core_notes_deinit(&notes);
	}
	// Whichever byte of the headers is changed, reading does not crash and finds no more
	// threads than there are.
	for (size_t i = 0; i < offsetof(struct core, note) + 64; i++) {
		for (int value = 0; value < 256; value += 51) {
			core = good;
			((uint8_t *)&core)[i] = (uint8_t)value;
			(void)read_core(&core, sizeof(core), 100, &notes);
			assert_true(notes.count <= NOTES_MAX);
			frec__core_notes_deinit(&notes);
		}
	}
	core = good;
	core.header.e_ident[EI_CLASS] = ELFCLASS32;
	refuse(&core, sizeof(core));
	core = good;
	core.header.e_phoff = UINT64_MAX - 3;
	refuse(&core, sizeof(core));
	core = good;
	core.segment[1].p_offset = UINT64_MAX - 3;
	refuse(&core, sizeof(core));
	core = good;
	core.segment[1].p_offset = FREC_CORE_HEAD_MAX;
	refuse(&core, sizeof(core));
	core = good;
	core.note[0].head.n_namesz = core.note[0].head.n_descsz = UINT32_MAX;
	refuse(&core, sizeof(core));
}

static size_t add_stack(uint8_t *data, uint32_t pid, uint32_t tid, size_t frames, size_t how)
{
	Flightrec__ThreadStack message = FLIGHTREC__THREAD_STACK__INIT;
	Flightrec__Registers registers = FLIGHTREC__REGISTERS__INIT;
	Flightrec__Frames stack = FLIGHTREC__FRAMES__INIT;
	uint64_t values[] = {1, 2}, pc[] = {3, 4, 5};
	uint8_t kinds[] = {4, 1, 1}, *part;
	size_t size;

	message.pid = pid;
	message.tid = tid;
	registers.mask = 3;
	registers.n_value = 2;
	registers.value = values;
	stack.n_pc = frames;
	stack.pc = pc;
	stack.how = (ProtobufCBinaryData){.len = how, .data = kinds};
	message.registers = &registers;
	message.frames = &stack;
	assert_int_equal(frec__part_pack(FREC_PART_THREAD_STACK, &message.base, &part, &size), 0);
	memcpy(data, part, size);
	free(part);
	return size;
}

static void test_stacks(void **state)
{
	struct frec_thread_stacks stacks;
	uint8_t data[1024];
	size_t one = add_stack(data, 7, 7, 3, 3), size = one + add_stack(data + one, 7, 8, 2, 2);

	(void)state;
	assert_int_equal(frec__thread_stacks_parse(&stacks, data, size, 7, NULL), 0);
	assert_int_equal(stacks.count, 2);
	assert_int_equal(frec__thread_stacks_find(&stacks, 8)->frames->n_pc, 2);
	assert_null(frec__thread_stacks_find(&stacks, 9));
	frec__thread_stacks_deinit(&stacks);
	// Stacks are rejected if they are of another process, cut, changed, or have frames without
	// a kind.
	assert_int_equal(frec__thread_stacks_parse(&stacks, data, size, 8, NULL), -EINVAL);
	for (size_t cut = 1; cut < size; cut++) {
		int r = frec__thread_stacks_parse(&stacks, data, cut, 7, NULL);

		assert_int_equal(r, cut == one ? 0 : -EINVAL);
		frec__thread_stacks_deinit(&stacks);
	}
	for (size_t i = 0; i < size; i++) {
		data[i] ^= 0x20;
		assert_int_equal(frec__thread_stacks_parse(&stacks, data, size, 7, NULL), -EINVAL);
		data[i] ^= 0x20;
	}
	size = add_stack(data, 7, 7, 3, 2);
	assert_int_equal(frec__thread_stacks_parse(&stacks, data, size, 7, NULL), -EINVAL);
}

// Reads this process: a page that was touched, one that was not, a guard page, and nothing.
static void test_memory(void **state)
{
	const size_t page = FREC_CORE_PAGE;
	uint8_t *room =
		mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const uint64_t at = (uint64_t)(uintptr_t)room;
	struct frec_core_mapping mapping[] = {{at, at + 2 * page, true},
					      {at + 2 * page, at + 3 * page, false},
					      {at + 3 * page, at + 4 * page, true}};
	struct frec_core_process process = {.mappings = 3, .mapping = mapping};
	struct frec_core_memory *memory = calloc(1, sizeof(*memory));
	uint64_t value = 1;

	(void)state;
	assert_ptr_not_equal(room, MAP_FAILED);
	memset(room, 0x11, page);
	memset(room + 3 * page, 0x33, page);
	// The kernel itself would read the guard page.
	assert_int_equal(mprotect(room + 2 * page, page, PROT_NONE), 0);
	assert_int_equal(munmap(room + 3 * page, page), 0);
	process.memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	memory->process = &process;
	for (int i = 0; i < 2; i++) {
		assert_true(frec__core_memory_read(memory, at + 8, &value, 8));
		assert_int_equal(value, 0x1111111111111111);
		assert_true(frec__core_memory_read(memory, at + page - 4, &value, 8));
		assert_int_equal(value, 0x11111111);
		assert_true(frec__core_memory_read(memory, at + 2 * page - 8, &value, 8));
		assert_int_equal(value, 0);
		assert_false(frec__core_memory_read(memory, at + 2 * page - 4, &value, 8));
		assert_false(frec__core_memory_read(memory, at + 2 * page, &value, 8));
		assert_false(frec__core_memory_read(memory, at + 3 * page, &value, 8));
		assert_false(frec__core_memory_read(memory, at - 8, &value, 8));
		assert_false(frec__core_memory_read(memory, UINT64_MAX - 3, &value, 8));
	}
	memory->read = FREC_CORE_PAGES_MAX;
	assert_true(frec__core_memory_read(memory, at, &value, 8));
	memory->page[at / page % FREC_CORE_PAGES].size = 0;
	assert_false(frec__core_memory_read(memory, at, &value, 8));
	close(process.memory);
	munmap(room, 3 * page);
	free(memory);
}

static void put_file(const char *folder, const char *path, const char *text, mode_t mode)
{
	char name[300];
	int fd;

	snprintf(name, sizeof(name), "%s%s", folder, path);
	for (char *slash = name + strlen(folder) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		assert_true(!mkdir(name, 0755) || errno == EEXIST);
		*slash = '/';
	}
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void check_receiver(const char *root, const char *previous, const char *expected)
{
	char receiver[FREC_CORE_PATTERN_MAX];

	frec__core_pattern_receiver(root, previous, receiver);
	assert_string_equal(receiver, expected);
}

// Core dumps that went to the socket of systemd-coredump go to its command.
static void test_receiver(void **state)
{
	static const char socket[] = "@@/run/systemd/coredump-kernel";
	char root[] = "/tmp/frec-core-XXXXXX", command[100];

	(void)state;
	assert_non_null(mkdtemp(root));
	check_receiver(root, "core", "core");
	check_receiver(root, "|/bin/x %P", "|/bin/x %P");
	// Without its command its socket is all there is.
	check_receiver(root, socket, socket);
	put_file(root, "/usr/lib/systemd/systemd-coredump", "", 0755);
	check_receiver(root, socket,
		       "|/usr/lib/systemd/systemd-coredump %P %u %g %s %t %c %h %d %F");
	put_file(root, "/usr/lib/sysctl.d/50-coredump.conf",
		 "# x\nkernel.core_pattern=|/usr/lib/systemd/systemd-coredump %P %u\nx=1\n", 0644);
	check_receiver(root, socket, "|/usr/lib/systemd/systemd-coredump %P %u");
	check_receiver(root, "@/run/other.sock", "@/run/other.sock");
	// A command that does not exist, or is another one, is not taken.
	put_file(root, "/etc/sysctl.d/50-coredump.conf", "kernel.core_pattern=|/bin/false\n", 0644);
	check_receiver(root, socket, "|/usr/lib/systemd/systemd-coredump %P %u");
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

struct server {
	int listening;
	uint32_t answer_size;
	uint64_t chosen; // 0: the server does not ask
	uint64_t request[2];
	uint8_t verdict;
	char got[300000];
	size_t size;
};

static void *serve_core(void *context)
{
	struct server *server = context;
	int fd = accept(server->listening, NULL, NULL);
	ssize_t n;

	if (server->chosen) {
		struct {
			uint32_t size, spare;
			uint64_t chosen;
		} answer = {server->answer_size, 0, server->chosen};

		server->verdict = 77;
		if (recv(fd, server->request, 16, MSG_WAITALL) == 16 &&
		    send(fd, &answer, sizeof(answer), MSG_NOSIGNAL) == sizeof(answer))
			(void)!recv(fd, &server->verdict, 1, 0);
	}
	while ((n = read(fd, server->got + server->size, sizeof(server->got) - server->size)) > 0)
		server->size += (size_t)n;
	close(fd);
	return NULL;
}

static int pass_to_server(struct server *server, const char *kept_text, const char *text,
			  size_t size)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int kept = memfd_create("kept", MFD_CLOEXEC), source = memfd_create("rest", MFD_CLOEXEC);
	struct frec_error error = {0};
	char folder[] = "/tmp/frec-core-XXXXXX", pattern[100];
	pthread_t thread;
	int r;

	assert_non_null(mkdtemp(folder));
	snprintf(pattern, sizeof(pattern), "%s%s/s", server->chosen ? "@@" : "@", folder);
	strcpy(address.sun_path, strchr(pattern, '/'));
	server->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server->listening, (void *)&address, sizeof(address)), 0);
	assert_int_equal(listen(server->listening, 1), 0);
	assert_int_equal(pthread_create(&thread, NULL, serve_core, server), 0);
	assert_int_equal(write(kept, kept_text, strlen(kept_text)), strlen(kept_text));
	assert_int_equal(write(source, text, size), size);
	lseek(kept, 0, SEEK_SET);
	lseek(source, 0, SEEK_SET);
	r = frec__core_socket_send(pattern, kept, source, &error);
	pthread_join(thread, NULL);
	close(server->listening);
	close(kept);
	close(source);
	unlink(address.sun_path);
	rmdir(folder);
	return r;
}

// A server at a socket gets the core dump byte for byte, or none if it wants none.
static void test_socket(void **state)
{
	static struct server server;
	static char text[200000];
	struct frec_error error = {0};
	static const struct {
		uint64_t chosen;
		uint32_t size;
		uint8_t verdict;
		bool whole;
	} cases[] = {
		{0, 0, 0, true},       // "@/socket" asks nothing
		{1, 16, 0, true},      // the kernel writes the core dump
		{1 | 8, 16, 0, true},  // and waits
		{2, 16, 0, false},     // the server writes it
		{4 | 8, 16, 0, false}, // nobody does
		{16, 16, 3, false},    // unknown
		{1 | 4, 16, 4, false}, // contradictory
		{8, 16, 4, false},     // says nothing
		{1, 15, 1, false},     {1, 17, 2, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int r;

		memset(&server, 0, sizeof(server));
		server.chosen = cases[i].chosen;
		server.answer_size = cases[i].size;
		r = pass_to_server(&server, "head", text, sizeof(text));
		assert_int_equal(r, cases[i].verdict ? -EPROTO : 0);
		assert_int_equal(server.verdict, cases[i].verdict);
		assert_int_equal(server.size, cases[i].whole ? 4 + sizeof(text) : 0);
		if (cases[i].whole)
			assert_true(!memcmp(server.got, "head", 4) &&
				    !memcmp(server.got + 4, text, sizeof(text)));
		if (cases[i].chosen)
			assert_true(server.request[0] == (16 | 16ull << 32) &&
				    server.request[1] == 15);
	}
	assert_int_equal(frec__core_socket_send("@/tmp/no-such/socket", -1, -1, &error), -ENOENT);
	assert_non_null(strstr(error.message, "is its server running?"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_receiver),      cmocka_unit_test(test_socket),
		cmocka_unit_test(test_make),	      cmocka_unit_test(test_file),
		cmocka_unit_test(test_command),	      cmocka_unit_test(test_notes),
		cmocka_unit_test(test_hostile_notes), cmocka_unit_test(test_stacks),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
