// SPDX-License-Identifier: MIT
// Probes of what rings in shared memory need: no rights, but system calls that a sandbox can
// forbid.
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "recorder/doctor/probes_internal.h"

#define SIZE 4096

void frec__probe_memfd(struct frec_probe_result *ret)
{
	FREC_CLOSE int fd = memfd_create("flightrec-doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *map = MAP_FAILED;

	if (fd < 0 || ftruncate(fd, SIZE) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0 ||
	    (map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) == MAP_FAILED) {
		frec__probe_found(ret, FREC_PROBE_MISSING, "memfd_create(2): %s", strerror(errno));
		frec__probe_advise(
			ret, "a sandbox forbids it: allow memfd_create in its seccomp filter");
		return;
	}
	// If somebody could truncate a ring, its other users would be killed by SIGBUS.
	if (!ftruncate(fd, 0))
		frec__probe_found(ret, FREC_PROBE_LIMITED,
				  "memory can be shared, but its size is not sealed");
	else
		frec__probe_found(ret, FREC_PROBE_OK, "memory was created, sealed and mapped");
	munmap(map, SIZE);
}

/* A robust list with one entry. The kernel walks the list when the thread that set it dies. */
struct robust {
	struct robust_list_head head;
	struct robust_list entry;
	uint32_t word;
};

// Runs in the owner, which locks the futex word and is killed by SIGKILL, as a recorder may be.
static void die_with(struct robust *robust)
{
	robust->head.list.next = &robust->entry;
	robust->entry.next = &robust->head.list;
	robust->head.futex_offset =
		(long)offsetof(struct robust, word) - (long)offsetof(struct robust, entry);
	robust->word = (uint32_t)syscall(SYS_gettid);
	if (syscall(SYS_set_robust_list, &robust->head, sizeof(robust->head)))
		_exit(errno);
	kill(getpid(), SIGKILL);
	_exit(0);
}

void frec__probe_robust_futex(struct frec_probe_result *ret)
{
	struct robust *robust =
		mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint32_t word;
	pid_t owner;
	int status = 0;

	if (robust == MAP_FAILED) {
		frec__probe_found(ret, FREC_PROBE_MISSING, "shared memory: %s", strerror(errno));
		return;
	}
	owner = fork();
	if (!owner)
		die_with(robust);
	if (owner > 0)
		waitpid(owner, &status, 0);
	word = __atomic_load_n(&robust->word, __ATOMIC_ACQUIRE);
	munmap(robust, SIZE);
	if (owner > 0 && word & FUTEX_OWNER_DIED)
		frec__probe_found(ret, FREC_PROBE_OK,
				  "a futex word showed that its owner was killed");
	else
		frec__probe_found(ret, FREC_PROBE_MISSING, "set_robust_list(2): %s",
				  owner < 0 ? strerror(errno)
				  : WIFEXITED(status) && WEXITSTATUS(status)
					  ? strerror(WEXITSTATUS(status))
					  : "a futex word did not show that its owner was killed");
}

void frec__probe_memory_keys(struct frec_probe_result *ret)
{
	int key = pkey_alloc(0, PKEY_DISABLE_WRITE);

	if (key < 0) {
		frec__probe_found(
			ret, FREC_PROBE_LIMITED, "%s: wild writes are detected, not prevented",
			errno == ENOSPC ? "this CPU has no protection keys" : strerror(errno));
		return;
	}
	pkey_free(key);
	frec__probe_found(ret, FREC_PROBE_OK, "a protection key was allocated");
}
