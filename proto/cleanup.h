/* SPDX-License-Identifier: MIT */
/* Scope guards: a local that owns something gives it back at the end of its scope. */
#ifndef FREC_PROTO_CLEANUP_H
#define FREC_PROTO_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void frec__cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void frec__cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void frec__cleanup_closedir(DIR **folder)
{
	if (*folder)
		closedir(*folder);
}

static inline void frec__cleanup_fclose(FILE **file)
{
	if (*file)
		fclose(*file);
}

#define FREC_FREE __attribute__((cleanup(frec__cleanup_free)))
#define FREC_CLOSE __attribute__((cleanup(frec__cleanup_close)))
#define FREC_CLOSEDIR __attribute__((cleanup(frec__cleanup_closedir)))
#define FREC_FCLOSE __attribute__((cleanup(frec__cleanup_fclose)))

/* Hands over what a guarded local owns. */
#define FREC_TAKE_PTR(p) \
	({ \
		__typeof__(p) taken_ = (p); \
		(p) = NULL; \
		taken_; \
	})

#endif
