// SPDX-License-Identifier: MIT
// AT_SECURE says whether the tool was started with rights that its caller does not have.
#include "tools/borrowed_rights.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "proto/rights.h"

int frec__borrowed_rights_return(void)
{
	const uid_t uid = getuid();
	const gid_t gid = getgid();

	if (!getauxval(AT_SECURE))
		return 0;
	if (setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
		return -errno;
	return frec__rights_keep(FREC_RIGHTS_NONE);
}

void frec__borrowed_rights_forget_environment(void)
{
	if (getauxval(AT_SECURE))
		clearenv();
}
