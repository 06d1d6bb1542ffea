// SPDX-License-Identifier: MIT
// Files from debuginfod servers. The client library is loaded only when a file is to be fetched,
// because it brings an HTTP client with all its libraries, and most users have no server.
#include "unwind/debuginfod.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

// The functions of libdebuginfod that are used here. A client is an opaque pointer.
static struct {
	void *(*begin)(void);
	void (*end)(void *client);
	int (*executable)(void *client, const unsigned char *id, int size, char **path);
	int (*debuginfo)(void *client, const unsigned char *id, int size, char **path);
} library;

static void load(void)
{
	void *handle = dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		return;
	*(void **)&library.end = dlsym(handle, "debuginfod_end");
	*(void **)&library.executable = dlsym(handle, "debuginfod_find_executable");
	*(void **)&library.debuginfo = dlsym(handle, "debuginfod_find_debuginfo");
	if (library.end && library.executable && library.debuginfo)
		*(void **)&library.begin = dlsym(handle, "debuginfod_begin");
}

static int (*ask)(const char *kind, const struct frec_build_id *build_id, char **ret_path);

void frec__debuginfod_through(int (*asker)(const char *kind, const struct frec_build_id *build_id,
					   char **ret_path))
{
	ask = asker;
}

int frec__debuginfod(const char *kind, const struct frec_build_id *build_id, char **ret_path)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	void *client;
	int fd;

	if (ask)
		return ask(kind, build_id, ret_path);
	pthread_once(&once, load);
	client = library.begin ? library.begin() : NULL;
	if (!client)
		return -ENOSYS;
	fd = (*kind == 'e' ? library.executable : library.debuginfo)(client, build_id->bytes,
								     (int)build_id->size, ret_path);
	library.end(client);
	return fd;
}
