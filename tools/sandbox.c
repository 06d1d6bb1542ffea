// SPDX-License-Identifier: MIT
// The sandbox is made of Landlock rules and a seccomp filter.
#include "tools/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "tools/opener.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

// Rights and structures of Landlock, which old kernel headers lack. A kernel accepts a structure
// that is larger than the one it knows if the members that it does not know are zero.
enum {
	READ_FILE = 1 << 2,
	READ_FOLDER = 1 << 3,
	FIRST = (1 << 13) - 1,	   // all rights of Landlock's first version
	BETWEEN_FOLDERS = 1 << 13, // to move files between folders; since version 2
	CUT = 1 << 14,		   // to truncate files; since version 3
	DEVICE_REQUESTS = 1 << 15, // ioctl(2) on devices; since version 5
	NETWORK = 3,		   // to bind and connect TCP sockets; since version 4
	OTHER_DOMAINS = 3,	   // to reach abstract sockets and send signals; since version 6
};
// The rights to read, write, make and remove files and folders, but not to execute files nor to
// make devices, pipes, sockets and links.
#define WRITE (1 << 1 | READ_FILE | READ_FOLDER | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | CUT)

// Returns whether there is no sandbox: sanitizers, debuggers and valgrind need more than it allows.
static bool is_off(void)
{
	const char *wanted = secure_getenv("FLIGHTREC_SANDBOX");

	return SANITIZED || (wanted && !strcmp(wanted, "off"));
}

struct ruleset {
	uint64_t files, network, scoped;
};

static int abi(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

static uint64_t known_rights(int version)
{
	return FIRST | (version >= 2 ? BETWEEN_FOLDERS : 0) | (version >= 3 ? CUT : 0) |
	       (version >= 5 ? DEVICE_REQUESTS : 0);
}

static void allow(struct frec_tool_sandbox *sandbox, int place, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = {.parent_fd = place,
						  .allowed_access = rights & known_rights(abi())};

	// If a rule cannot be added, opening a file in that place fails later and is reported then.
	if (place >= 0 && sandbox->rules >= 0)
		(void)syscall(SYS_landlock_add_rule, sandbox->rules, LANDLOCK_RULE_PATH_BENEATH,
			      &rule, 0);
}

static void allow_path(struct frec_tool_sandbox *sandbox, const char *path, uint64_t rights)
{
	FREC_CLOSE int place = open(path, O_PATH | O_CLOEXEC);

	allow(sandbox, place, rights);
}

static bool is_folder(const char *path)
{
	FREC_CLOSE int place = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return place >= 0;
}

void frec__tool_sandbox_init(struct frec_tool_sandbox *sandbox,
			     const struct frec_unwinder_options *symbols, bool network)
{
	static const char *const system[] = {"/usr", "/lib", "/lib64", "/bin", "/opt"};
	int version = is_off() ? -1 : abi();
	struct ruleset ruleset = {
		.files = known_rights(version),
		.network = version >= 4 && !network ? NETWORK : 0,
		.scoped = version >= 6 ? OTHER_DOMAINS : 0,
	};

	*sandbox = (struct frec_tool_sandbox){.rules = -1, .network = network};
	if (version < 1)
		return;
	sandbox->rules = (int)syscall(SYS_landlock_create_ruleset, &ruleset, sizeof(ruleset), 0);
	if (network) {
		allow_path(sandbox, "/etc", READ_FILE | READ_FOLDER);
		allow_path(sandbox, "/run", READ_FILE | READ_FOLDER);
	}
	if (!symbols)
		return;
	// libdw opens the files of split debugging information itself, and not through the opener.
	for (size_t i = 0; i < sizeof(system) / sizeof(system[0]); i++) {
		if (is_folder(system[i]))
			allow_path(sandbox, system[i], READ_FILE | READ_FOLDER);
	}
	for (size_t i = 0; i < symbols->folder_count; i++)
		allow_path(sandbox, symbols->folders[i], READ_FILE | READ_FOLDER);
	if (symbols->root)
		allow_path(sandbox, symbols->root, READ_FILE | READ_FOLDER);
	// Compared with the boot id in a snapshot, this shows whether the snapshot is from this
	// boot.
	allow_path(sandbox, "/proc/sys/kernel/random/boot_id", READ_FILE);
}

void frec__tool_sandbox_start_opener(struct frec_tool_sandbox *sandbox, bool debuginfod)
{
	if (!is_off())
		sandbox->is_opener = frec__opener_start(debuginfod);
}

void frec__tool_sandbox_write_in(struct frec_tool_sandbox *sandbox, int folder)
{
	allow(sandbox, folder, WRITE);
}

void frec__tool_sandbox_write_to(struct frec_tool_sandbox *sandbox, const char *path)
{
	allow_path(sandbox, path, WRITE);
}

void frec__tool_sandbox_write_beside(struct frec_tool_sandbox *sandbox, const char *path)
{
	char real[PATH_MAX], *slash;

	// If `path` is a link, the output appears in the folder of the file that it leads to.
	if (!realpath(path, real) && snprintf(real, sizeof(real), "%s", path) >= PATH_MAX)
		return;
	slash = strrchr(real, '/');
	if (slash)
		slash[slash == real] = 0;
	allow_path(sandbox, slash ? real : ".", WRITE);
}

#define ALLOW(name) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

// Allows the system calls that reading, computing and writing need. Those that would make a socket,
// a process or new code are not among them. All others fail with EPERM, for which the C library is
// prepared. Returns 0, also if the kernel has no seccomp, or a negative errno.
static int filter_system_calls(void)
{
	static const struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(read),
		ALLOW(write),
		ALLOW(readv),
		ALLOW(writev),
		ALLOW(pread64),
		ALLOW(pwrite64),
		ALLOW(lseek),
		ALLOW(openat),
		ALLOW(openat2),
		ALLOW(close),
		ALLOW(fstat),
		ALLOW(newfstatat),
		ALLOW(statx),
		ALLOW(statfs),
		ALLOW(fstatfs),
		ALLOW(faccessat),
		ALLOW(faccessat2),
		ALLOW(readlinkat),
		ALLOW(getcwd),
		ALLOW(getdents64),
		ALLOW(ftruncate),
		ALLOW(fallocate),
		ALLOW(fsync),
		ALLOW(fdatasync),
		ALLOW(mkdirat),
		ALLOW(unlinkat),
		ALLOW(renameat),
		ALLOW(renameat2),
#ifdef SYS_open
		ALLOW(open),
		ALLOW(stat),
		ALLOW(lstat),
		ALLOW(access),
		ALLOW(readlink),
		ALLOW(mkdir),
		ALLOW(rmdir),
		ALLOW(unlink),
		ALLOW(rename),
		ALLOW(poll),
		ALLOW(getrlimit),
#endif
		ALLOW(fcntl),
		ALLOW(dup),
		ALLOW(ioctl),	// for isatty(3)
		ALLOW(sendmsg), // to the opener
		ALLOW(recvmsg),
		ALLOW(ppoll),
		ALLOW(wait4), // for the pager
		ALLOW(munmap),
		ALLOW(mremap),
		ALLOW(madvise),
		ALLOW(brk),
		ALLOW(futex),
		ALLOW(getrandom),
		ALLOW(clock_gettime),
		ALLOW(clock_nanosleep),
		ALLOW(gettimeofday),
		ALLOW(rt_sigaction),
		ALLOW(rt_sigprocmask),
		ALLOW(rt_sigreturn),
		ALLOW(restart_syscall),
		ALLOW(getpid),
		ALLOW(gettid),
		ALLOW(getuid),
		ALLOW(geteuid),
		ALLOW(getgid),
		ALLOW(getegid),
		ALLOW(umask),
		ALLOW(uname),
		ALLOW(sysinfo),
		ALLOW(prlimit64),
		ALLOW(sched_getaffinity),
		ALLOW(sched_yield),
		ALLOW(exit),
		ALLOW(exit_group),
		// mmap(2) and mprotect(2), but not with PROT_EXEC.
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	};
	const struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]),
					   .filter = (struct sock_filter *)(uintptr_t)filter};

	if (!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) || errno == EINVAL)
		return 0;
	return -errno;
}

int frec__tool_sandbox_enter(struct frec_tool_sandbox *sandbox, struct frec_error *reterr)
{
	FREC_CLOSE int rules = sandbox->rules;
	int r = 0;

	sandbox->rules = -1;
	if (is_off())
		return 0;
	tzset(); // it reads a file, which the sandbox would forbid later
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    (rules >= 0 && syscall(SYS_landlock_restrict_self, rules, 0)))
		r = -errno;
	if (!r && !sandbox->network)
		r = filter_system_calls();
	return r ? frec__error(reterr, r, "cannot enter the sandbox for reading: %s", strerror(-r))
		 : 0;
}
