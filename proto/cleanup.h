/* SPDX-License-Identifier: MIT */
/*
 * Scope guards: a local variable that owns something releases it at the end of its scope.
 * Initialize each one where it is declared.
 *
 *	FREC_FREE char *text = NULL;
 *	FREC_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
 *	...
 *	*ret = FREC_TAKE_PTR(text);			the caller owns it now
 */
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

/* Takes the value out of a guarded variable, which becomes NULL and so releases nothing. */
#define FREC_TAKE_PTR(p) \
	({ \
		__typeof__(p) taken_ = (p); \
		(p) = NULL; \
		taken_; \
	})

#endif
