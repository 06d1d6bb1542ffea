// SPDX-License-Identifier: MIT
// Proves on a kernel with user_events that events arrive: from threads, from signal handlers, from
// both sides of a fork, after an exec, from libraries that are loaded and unloaded, wherever
// tracefs is mounted, and wherever the descriptor comes from. Run it as root, with the path of the
// plugin as its argument. Any other first argument is a role that the test gives to a process it
// starts.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "emit_events.h"
#include "emit_readers.h"

enum state { IDLE = -1, BUSY = 3 };

FREC_EVENT(vm, kinds, FREC_U8(u8), FREC_I8(i8), FREC_U16(u16), FREC_I16(i16), FREC_U32(u32),
	   FREC_I32(i32), FREC_U64(u64), FREC_I64(i64), FREC_BOOL(yes), FREC_F32(f32),
	   FREC_F64(f64), FREC_PTR(pointer), FREC_CHARS(tag, 16), FREC_ENUM(state, IDLE, BUSY),
	   FREC_STR(text), FREC_BYTES(raw));
FREC_EVENT(vm, tick);
FREC_EVENT(vm, number, FREC_I32(number));
FREC_EVENT(vm, clash, FREC_U64(number));
FREC_EVENT(vm, text, FREC_STR(text));
FREC_EVENT(vm, raw, FREC_BYTES(raw));

static int failures;

#define CHECK(condition) check((condition), #condition, __func__, __LINE__)

static void check(bool good, const char *what, const char *where, int line)
{
	if (good)
		return;
	failures++;
	printf("FAILED: %s:%d: %s (errno %d)\n", where, line, what, errno);
}

static struct frec_stats stats(void)
{
	struct frec_stats stats = {.size = sizeof(stats)};

	frec_stats_read(&stats);
	return stats;
}

// The kernel sets an enable word at once if it can. It takes longer if the page is not in memory,
// or if it has been shared by a fork and not written since. The time limit of the test ends the
// wait.
static void wait_for(const uint32_t *word)
{
	while (!(__atomic_load_n(word, __ATOMIC_RELAXED) >> 31))
		usleep(1000);
}

static void listen_to_all(void)
{
	CHECK(listen_to("user_events", true));
	for (struct frec__event **event = __start_frec_events; event != __stop_frec_events; event++)
		if (*event != &frec__event_vm_clash)
			wait_for(&(*event)->enabled);
}

static bool exited_well(pid_t pid)
{
	int status;

	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

static void become(const char *role, const char *argument)
{
	execl("/proc/self/exe", "emit", role, argument, NULL);
	_exit(99);
}

// A `*` in `line` matches any number, because the kernel does not initialise the count that it
// shows in brackets.
static bool contains(const char *format, const char *line)
{
	const char *star = strchrnul(line, '*');

	for (; *format; format++) {
		const char *rest = format + (star - line);

		if (strncmp(format, line, (size_t)(star - line)) != 0)
			continue;
		if (!*star)
			return true;
		rest += strspn(rest, "-0123456789");
		if (strncmp(rest, star + 1, strlen(star + 1)) == 0)
			return true;
	}
	return false;
}

static void formats(void)
{
	static const char *const lines[] = {
		"field:u8 u8;\toffset:8;\tsize:1;\tsigned:0;",
		"field:s8 i8;\toffset:9;\tsize:1;\tsigned:1;",
		"field:u16 u16;\toffset:10;\tsize:2;\tsigned:0;",
		"field:s16 i16;\toffset:12;\tsize:2;\tsigned:1;",
		"field:u32 u32;\toffset:14;\tsize:4;\tsigned:0;",
		"field:s32 i32;\toffset:18;\tsize:4;\tsigned:1;",
		"field:u64 u64;\toffset:22;\tsize:8;\tsigned:0;",
		"field:s64 i64;\toffset:30;\tsize:8;\tsigned:1;",
		"field:unsigned char yes;\toffset:38;\tsize:1;\tsigned:0;",
		"field:struct float f32;\toffset:39;\tsize:4;\tsigned:1;",
		"field:struct double f64;\toffset:43;\tsize:8;\tsigned:1;",
		"field:u64 pointer;\toffset:51;\tsize:8;\tsigned:0;",
		"field:char tag[*];\toffset:59;\tsize:16;\tsigned:1;",
		"field:s32 state;\toffset:75;\tsize:4;\tsigned:1;",
		"field:__rel_loc char text[*];\toffset:79;\tsize:4;\tsigned:1;",
		"field:__rel_loc u8 raw[*];\toffset:83;\tsize:4;\tsigned:1;",
	};
	const char *format;

	CHECK(frec_register() == 0);
	CHECK(stats().events == stats().registered);
	format = read_tracefs("events/user_events/vm__kinds/format");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		check(contains(format, lines[i]), lines[i], __func__, __LINE__);
	if (failures)
		fputs(format, stdout);
}

static void arrives(void)
{
	CHECK(!frec_vm_kinds_enabled() && frec_vm_tick() == 0);
	CHECK(trace_count("vm__tick") == 0);
	listen_to_all();
	CHECK(frec_vm_kinds_enabled());
	errno = ENOTTY;
	CHECK(FREC_EMIT(vm, tick) == 0);
	CHECK(frec_vm_kinds(1, -2, 3, -4, 5, -6, 7, -8, true, 1.5f, 2.5, (void *)0x1234, "abc",
			    BUSY, "words", "raw", 3) == 0);
	CHECK(errno == ENOTTY);
	CHECK(trace_count("vm__tick") == 1);
	CHECK(trace_count("i32=0xfffffffa (-6)") == 1);
	CHECK(trace_count("pointer=0x1234") == 1);
	CHECK(trace_count("tag=abc state=0x3 (3) text=words raw=72,61,77") == 1);
	frec_vm_text(NULL);
	frec_vm_text("not \xff utf-8");
	CHECK(trace_count("vm__text: text=(null)") == 1);
	CHECK(trace_count("vm__text: text=not \xff utf-8") == 1);
	CHECK(listen_to("user_events", false));
	CHECK(!frec_vm_kinds_enabled());
	listen_to_all();
}

static void *emit_many(void *unused)
{
	(void)unused;
	for (int i = 0; i < 200; i++)
		frec_vm_number(i);
	return NULL;
}

static void threads(void)
{
	pthread_t thread[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, emit_many, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	CHECK(trace_count("vm__number") == 4 * 200);
}

static volatile sig_atomic_t handled;

static void handler(int signal)
{
	(void)signal;
	handled++;
	frec_vm_text("handler");
}

static void signals(void)
{
	const struct itimerval often = {{0, 3000}, {0, 3000}}, never = {{0, 0}, {0, 0}};
	int emitted = 0;

	signal(SIGALRM, handler);
	setitimer(ITIMER_REAL, &often, NULL);
	while (handled < 20 && emitted < 2000)
		CHECK(frec_vm_number(emitted++) == 0);
	setitimer(ITIMER_REAL, &never, NULL);
	CHECK(handled > 0);
	CHECK(trace_count("text=handler") == handled);
	CHECK(trace_count("vm__number") == emitted);
}

static void forks(const char *plugin)
{
	pid_t child = fork();

	if (child == 0) {
		CHECK(frec_vm_text("child") == 0);
		CHECK(frec_register() == 0);
		CHECK(frec_vm_text("child") == 0);
		_exit(failures);
	}
	CHECK(frec_vm_text("parent") == 0);
	CHECK(exited_well(child));
	CHECK(frec_vm_text("parent") == 0);
	CHECK(trace_count("text=child") == 2);
	CHECK(trace_count("text=parent") == 2);
	child = fork();
	if (child == 0)
		become("exec", plugin);
	CHECK(exited_well(child));
	CHECK(trace_count("text=exec") == 1);
}

static int role_exec(void)
{
	CHECK(frec_vm_text_enabled());
	CHECK(frec_vm_text("exec") == 0);
	return failures;
}

// The kernel must forget the address of the enable word of an event that was unloaded, even if
// another process still has the event. The kernel deletes an event when the last file through which
// the event was registered is closed, so it keeps the plugin's event as long as the program's own
// ones.
static void plugins(const char *path)
{
	uint32_t *(*enable_word)(void), *word, *page;
	int (*emit)(void), to_child[2];
	void *plugin;
	pid_t child;
	char byte;

	for (int round = 0; round < 2; round++) {
		plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
		check(plugin, "dlopen", __func__, __LINE__);
		if (!plugin)
			return;
		enable_word = (uint32_t * (*)(void)) dlsym(plugin, "plugin_enable_word");
		emit = (int (*)(void))dlsym(plugin, "plugin_emit");
		CHECK(strstr(read_tracefs("user_events_status"), "plugin__loaded"));
		trace_clear();
		listen_to_all();
		CHECK(listen_to("user_events_multi", true));
		wait_for(enable_word());
		wait_for(&frec__event_vm_clash.enabled);
		CHECK(emit() == 0 && frec_vm_both("program") == 0 && frec_vm_clash(5) == 0);
		CHECK(trace_count("from=plugin") == 1 && trace_count("from=program") == 1);
		CHECK(trace_count("words=other fields") == 1);
		CHECK(trace_count("vm__clash") == 2 && trace_count("number=0x5 (5)") == 1);
		CHECK(trace_count("plugin__loaded: number=0x7 (7)") == 1);
		CHECK(listen_to("user_events", false) && listen_to("user_events_multi", false));
		if (round == 0) {
			uint64_t registered = stats().registered;

			dlclose(plugin);
			CHECK(stats().registered == registered - 3);
		}
	}
	word = enable_word();
	page = (uint32_t *)((uintptr_t)word & -(uintptr_t)getpagesize());
	CHECK(pipe2(to_child, O_CLOEXEC) == 0);
	child = fork();
	if (child == 0) {
		close(to_child[1]);
		CHECK(read(to_child[0], &byte, 1) == 0);
		wait_for(word);
		_exit(failures);
	}
	close(to_child[0]);
	dlclose(plugin);
	CHECK(mmap(page, (size_t)getpagesize(), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == page);
	CHECK(listen_to("user_events/plugin__loaded", true));
	close(to_child[1]);
	CHECK(exited_well(child));
	CHECK(*word == 0);
	CHECK(listen_to("user_events/plugin__loaded", false));
	listen_to_all();
}

static void emit_at_exit(void)
{
	frec_vm_text("after main's destructors");
}

// The plugin is unloaded after the program's destructors have run. Even then the program's events
// arrive.
static int role_exit(const char *path)
{
	void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	void (**at_unload)(void) = dlsym(plugin, "plugin_at_unload");

	*at_unload = emit_at_exit;
	return failures;
}

static void exits(const char *plugin)
{
	pid_t child = fork();

	if (child == 0)
		become("exit", plugin);
	CHECK(exited_well(child));
	CHECK(trace_count("text=after main's destructors") == 1);
}

static void large(void)
{
	static char text[20000], payload[FREC_PAYLOAD_MAX + 100];
	struct frec_stats before = stats(), after;
	void *ring;
	int fd;

	// ftrace keeps less of a payload than perf does, so ftrace is not checked here.
	CHECK(listen_to("user_events/vm__text", false) && listen_to("user_events/vm__raw", false));
	memset(text, 'x', sizeof(text) - 1);
	fd = perf_open("user_events/vm__text", &ring);
	CHECK(fd >= 0);
	wait_for(&frec__event_vm_text.enabled);
	CHECK(frec_vm_text(text) == 0);
	// The kernel rounds the size of a record up to a multiple of 8.
	CHECK(perf_read(ring, payload, sizeof(payload)) >= FREC_PAYLOAD_MAX);
	CHECK(strlen(payload + 4) == FREC_PAYLOAD_MAX - 4 - 2);
	CHECK(payload[FREC_PAYLOAD_MAX - 1] == 0 && payload[FREC_PAYLOAD_MAX - 2] == 0);
	CHECK((unsigned char)payload[2] + 256 * (unsigned char)payload[3] == FREC_PAYLOAD_MAX - 4);
	perf_close(fd, ring);
	fd = perf_open("user_events/vm__raw", &ring);
	wait_for(&frec__event_vm_raw.enabled);
	CHECK(frec_vm_raw(text, FREC_PAYLOAD_MAX - 4) == 0);
	CHECK(perf_read(ring, payload, sizeof(payload)) >= FREC_PAYLOAD_MAX);
	CHECK(frec_vm_raw(text, FREC_PAYLOAD_MAX - 4 + 1) == -E2BIG);
	perf_close(fd, ring);
	listen_to_all();
	after = stats();
	CHECK(after.cut == before.cut + 1);
	CHECK(after.dropped_too_large == before.dropped_too_large + 1);
	CHECK(trace_count("event=vm:raw bytes=0x1ff9 (8185) error=0x7 (7) total=0x1 (1)") == 1);
	// This address cannot be read.
	CHECK(frec_vm_raw((void *)8, 8) == -EFAULT);
	CHECK(trace_count("event=vm:raw bytes=0xc (12) error=0xe (14) total=0x2 (2)") == 1);
}

static void closed(void)
{
	uint64_t before = stats().dropped_closed;

	closefrom(3);
	errno = ENOTTY;
	CHECK(frec_vm_text("closed") == -EBADF);
	CHECK(frec_vm_number(1) == -EBADF);
	CHECK(errno == ENOTTY);
	CHECK(stats().dropped_closed == before + 2);
	CHECK(frec_register() == 0);
	CHECK(frec_vm_text("open again") == 0 && frec_vm_number(4711) == 0);
	CHECK(trace_count("text=closed") == 0);
	CHECK(trace_count("text=open again") == 1 && trace_count("number=0x1267 (4711)") == 1);
}

static char last_message[512];

static void remember(void *ctx, const char *message)
{
	(void)ctx;
	snprintf(last_message, sizeof(last_message), "%s", message);
}

// Runs in a process that started without tracefs, in a mount namespace of its own.
static int role_late(void)
{
	frec_set_log(remember, NULL);
	CHECK(!frec_vm_text_enabled());
	CHECK(frec_register() == -ENOENT);
	CHECK(strstr(last_message, "tracefs"));
	CHECK(mkdir("/tmp/some where", 0755) == 0);
	CHECK(mount("tracefs", "/tmp/some where", "tracefs", 0, NULL) == 0);
	CHECK(frec_register() == 0);
	CHECK(frec_vm_text("late") == 0);
	return failures;
}

static void late(const char *plugin)
{
	pid_t child = fork();

	if (child == 0) {
		CHECK(unshare(CLONE_NEWNS) == 0);
		CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
		CHECK(umount("/sys/kernel/tracing") == 0);
		if (failures)
			_exit(1);
		become("late", plugin);
	}
	CHECK(exited_well(child));
	CHECK(trace_count("text=late") == 1);
}

static int role_handed(int from)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	int fd = -1;

	CHECK(frec_register() == -EACCES);
	CHECK(recvmsg(from, &message, 0) == 1);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	CHECK(frec_register_fd(fd) == 0);
	close(fd);
	CHECK(frec_register() == 0);
	CHECK(frec_vm_text("handed") == 0);
	return failures;
}

static void handed(void)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS}};
	struct iovec data = {(char[]){'x'}, 1};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	int fd = open("/sys/kernel/tracing/user_events_data", O_WRONLY | O_CLOEXEC), pair[2];
	char number[16];
	pid_t child;

	CHECK(fd >= 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	snprintf(number, sizeof(number), "%d", pair[1]);
	child = fork();
	if (child == 0) {
		close(pair[0]);
		CHECK(setgid(65534) == 0 && setuid(65534) == 0);
		become("handed", number);
	}
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	CHECK(sendmsg(pair[0], &message, 0) == 1);
	CHECK(exited_well(child));
	CHECK(trace_count("text=handed") == 1);
	close(pair[0]);
	close(pair[1]);
	close(fd);
}

static void begin(const char *name)
{
	printf("%s\n", name);
	fflush(stdout);
	trace_clear();
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "exec") == 0)
		return role_exec();
	if (argc == 3 && strcmp(argv[1], "exit") == 0)
		return role_exit(argv[2]);
	if (argc == 3 && strcmp(argv[1], "late") == 0)
		return role_late();
	if (argc == 3 && strcmp(argv[1], "handed") == 0)
		return role_handed(atoi(argv[2]));
	if (argc != 2)
		return 2;
	if (access("/sys/kernel/tracing/user_events_data", W_OK)) {
		puts("skipped: this kernel has no user_events, or this user no right to them");
		return getenv("FREC_REQUIRE_KERNEL") ? 1 : 77;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	begin("formats"), formats();
	begin("arrives"), arrives();
	begin("threads"), threads();
	begin("signals"), signals();
	begin("forks"), forks(argv[1]);
	begin("plugins"), plugins(argv[1]);
	begin("exits"), exits(argv[1]);
	begin("large"), large();
	begin("late"), late(argv[1]);
	begin("handed"), handed();
	begin("closed"), closed();
	listen_to("user_events", false);
	printf("%d failures\n", failures);
	return failures != 0;
}
