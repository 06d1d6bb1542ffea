// SPDX-License-Identifier: MIT
// Finds the ids of the process and the thread that emit: see shm_identity.h.
#include "recorder/service/shm_identity.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "recorder/service/shm_clock.h"

__thread struct frec__shm_self frec__shm_self FREC__SHM_TLS;
uint32_t *frec__shm_process;

static bool tid_is_cached; // cached_tid() was right when this process first attached

// The id of this thread as the C library has it. An error-checking mutex stores its owner's id in a
// member that <pthread.h> exposes. Since the mutex is on the stack, nobody else waits for it, so
// locking it makes no system call, and a signal handler uses another mutex.
static uint32_t cached_tid(void)
{
	uint32_t tid = 0;
#ifdef __GLIBC__
	pthread_mutex_t mutex = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;

	pthread_mutex_lock(&mutex);
	tid = (uint32_t)mutex.__data.__owner;
	pthread_mutex_unlock(&mutex);
#endif
	return tid;
}

// With a C library that keeps the id elsewhere, a thread's first event makes a system call.
static uint32_t thread_id(void)
{
	return tid_is_cached ? cached_tid() : (uint32_t)gettid();
}

int frec__shm_identity_init(void)
{
	void *page;
	size_t size = (size_t)sysconf(_SC_PAGESIZE);

	if (frec__shm_process)
		return 0;
	page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return -errno;
	if (madvise(page, size, MADV_WIPEONFORK)) {
		int error = errno;

		munmap(page, size);
		return -error;
	}
	tid_is_cached = cached_tid() == (uint32_t)gettid();
	__atomic_store_n(&frec__shm_process, page, __ATOMIC_RELEASE);
	return 0;
}

void frec__shm_identity_refresh(void)
{
	if (!frec__shm_process)
		return;
	frec__shm_self.pid = (uint32_t)getpid();
	frec__shm_self.tid = (uint32_t)gettid();
	__atomic_store_n(frec__shm_process, frec__shm_self.pid, __ATOMIC_RELAXED);
}

void frec__shm_identity_forked(void)
{
	if (frec__shm_process)
		__atomic_store_n(frec__shm_process, thread_id(), __ATOMIC_RELAXED);
}

__attribute__((cold)) void frec__shm_identify(void)
{
	uint32_t pid = 0;

	// The page was wiped in a fork, and nothing has stored the id of this process since.
	if (__atomic_compare_exchange_n(frec__shm_process, &pid, FREC__SHM_UNKNOWN, false,
					__ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
		pid = FREC__SHM_UNKNOWN;
		frec__shm_clock_forked();
	}
	frec__shm_self.tid = pid == FREC__SHM_UNKNOWN ? pid : thread_id();
	frec__shm_self.pid = pid;
}
