// SPDX-License-Identifier: MIT
// The sandbox is made of Landlock rules and a seccomp filter.
#include "tools/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
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
#include "proto/system_call_filter.h"
#include "unwind/opener.h"

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

	return FREC_SANITIZED || (wanted && !strcmp(wanted, "off"));
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
		sandbox->is_opener = frec__opener_start(debuginfod, NULL, 0);
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

// Allows the system calls that reading, computing and writing need. Those that would make a socket,
// a process or new code are not among them. All others fail with EPERM, for which the C library is
// prepared. Returns 0, also if the kernel has no seccomp, or a negative errno.
static int filter_system_calls(void)
{
	static const struct sock_filter filter[] = {
		FREC_FILTER_BEGIN,
		FREC_FILTER_ALLOW(read),
		FREC_FILTER_ALLOW(write),
		FREC_FILTER_ALLOW(readv),
		FREC_FILTER_ALLOW(writev),
		FREC_FILTER_ALLOW(pread64),
		FREC_FILTER_ALLOW(pwrite64),
		FREC_FILTER_ALLOW(lseek),
		FREC_FILTER_ALLOW(openat),
		FREC_FILTER_ALLOW(openat2),
		FREC_FILTER_ALLOW(close),
		FREC_FILTER_ALLOW(fstat),
		FREC_FILTER_ALLOW(newfstatat),
		FREC_FILTER_ALLOW(statx),
		FREC_FILTER_ALLOW(statfs),
		FREC_FILTER_ALLOW(fstatfs),
		FREC_FILTER_ALLOW(faccessat),
		FREC_FILTER_ALLOW(faccessat2),
		FREC_FILTER_ALLOW(readlinkat),
		FREC_FILTER_ALLOW(getcwd),
		FREC_FILTER_ALLOW(getdents64),
		FREC_FILTER_ALLOW(ftruncate),
		FREC_FILTER_ALLOW(fallocate),
		FREC_FILTER_ALLOW(fsync),
		FREC_FILTER_ALLOW(fdatasync),
		FREC_FILTER_ALLOW(mkdirat),
		FREC_FILTER_ALLOW(unlinkat),
		FREC_FILTER_ALLOW(renameat),
		FREC_FILTER_ALLOW(renameat2),
#ifdef SYS_open
		FREC_FILTER_ALLOW(open),
		FREC_FILTER_ALLOW(stat),
		FREC_FILTER_ALLOW(lstat),
		FREC_FILTER_ALLOW(access),
		FREC_FILTER_ALLOW(readlink),
		FREC_FILTER_ALLOW(mkdir),
		FREC_FILTER_ALLOW(rmdir),
		FREC_FILTER_ALLOW(unlink),
		FREC_FILTER_ALLOW(rename),
		FREC_FILTER_ALLOW(poll),
		FREC_FILTER_ALLOW(getrlimit),
#endif
		FREC_FILTER_ALLOW(fcntl),
		FREC_FILTER_ALLOW(dup),
		FREC_FILTER_ALLOW(ioctl),   // for isatty(3)
		FREC_FILTER_ALLOW(sendmsg), // to the opener
		FREC_FILTER_ALLOW(recvmsg),
		FREC_FILTER_ALLOW(ppoll),
		FREC_FILTER_ALLOW(wait4), // for the pager
		FREC_FILTER_ALLOW(munmap),
		FREC_FILTER_ALLOW(mremap),
		FREC_FILTER_ALLOW(madvise),
		FREC_FILTER_ALLOW(brk),
		FREC_FILTER_ALLOW(futex),
		FREC_FILTER_ALLOW(getrandom),
		FREC_FILTER_ALLOW(clock_gettime),
		FREC_FILTER_ALLOW(clock_nanosleep),
		FREC_FILTER_ALLOW(gettimeofday),
		FREC_FILTER_ALLOW(rt_sigaction),
		FREC_FILTER_ALLOW(rt_sigprocmask),
		FREC_FILTER_ALLOW(rt_sigreturn),
		FREC_FILTER_ALLOW(restart_syscall),
		FREC_FILTER_ALLOW(getpid),
		FREC_FILTER_ALLOW(gettid),
		FREC_FILTER_ALLOW(getuid),
		FREC_FILTER_ALLOW(geteuid),
		FREC_FILTER_ALLOW(getgid),
		FREC_FILTER_ALLOW(getegid),
		FREC_FILTER_ALLOW(umask),
		FREC_FILTER_ALLOW(uname),
		FREC_FILTER_ALLOW(sysinfo),
		FREC_FILTER_ALLOW(prlimit64),
		FREC_FILTER_ALLOW(sched_getaffinity),
		FREC_FILTER_ALLOW(sched_yield),
		FREC_FILTER_ALLOW(exit),
		FREC_FILTER_ALLOW(exit_group),
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
