# Starts a program with a pid of the test's choice, as an attacker gets it who forks until it is his
# turn. Only root can choose, so the program then changes its user.
import ctypes
import os
import struct

CLONE3 = 435
SIGCHLD = 17


def start_as(pid, uid, arguments, descriptors):
    """Starts `arguments` as user `uid` in a process with the number `pid`, which must be free.
    `descriptors` become its standard input and output."""
    numbers = (ctypes.c_int * 1)(pid)
    clone = struct.pack("<11Q", 0, 0, 0, 0, SIGCHLD, 0, 0, 0, ctypes.addressof(numbers), 1, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    child = libc.syscall(CLONE3, clone, len(clone))
    if child < 0:
        raise OSError(ctypes.get_errno(), f"pid {pid} cannot be had")
    if child:
        return child
    try:
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        os.execv(arguments[0], arguments)
    finally:
        os._exit(1)
