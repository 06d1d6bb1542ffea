"""Attackers of test_shares.py, run as a user without rights. Each prints a line when it has done
its harm, and then waits for the end of its input.

    hostile_clients.py queue SOCKET     opens all connections that it gets, and queues as many
                                        requests for snapshots in each as fit, each of another name
    hostile_clients.py attach SOCKET COUNT      attaches, and registers COUNT events in the shared
                                        memory, if there is any
    hostile_clients.py connect SOCKET COUNT     opens COUNT connections
"""
import array
import mmap
import os
import resource
import socket
import struct
import sys

import control
from hostile_files import declaration

# The layout of recorder/service/shm.h.
TABLE = 64 << 10
EVENTS = 4096
SLOT = struct.Struct("<IIII")
READY = 2
DECLARATIONS = TABLE + EVENTS * SLOT.size + 8
DECLARATIONS_SIZE = 2 << 20


def connect(path):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.settimeout(20)
    client.connect(path)
    return client


def connect_many(path, count):
    """Returns the connections that the recorder has not closed."""
    clients = []
    for _ in range(count):
        try:
            client = connect(path)
            client.sendall(control.request("status"))
            if client.recv(65536):
                clients.append(client)
        except OSError:
            break
    return clients


def queue(path):
    clients = connect_many(path, 1000)
    queued = 0
    for client in clients:
        client.setblocking(False)
        try:
            while True:
                client.send(control.request("notify", f"queued-{queued}"))
                queued += 1
        except OSError:
            pass
    return clients, f"queued {queued} in {len(clients)} connections"


def register(memory, count):
    at = 0
    for number in range(count):
        text = declaration(number)
        if at + len(text) > DECLARATIONS_SIZE:
            break
        memory[DECLARATIONS + at : DECLARATIONS + at + len(text)] = text
        where = TABLE + number * SLOT.size
        memory[where : where + SLOT.size] = SLOT.pack(READY, os.getpid(), at, len(text))
        at += len(text)


def attach(path, count):
    client = connect(path)
    client.sendall(control.request("attach"))
    fds = array.array("i")
    data, ancillary, _, _ = client.recvmsg(65536, socket.CMSG_LEN(fds.itemsize))
    what, why = control.answer(data)
    for _, _, received in ancillary:
        fds.frombytes(received)
    if what == "ok" and fds and count:
        with mmap.mmap(fds[0], DECLARATIONS + DECLARATIONS_SIZE) as memory:
            register(memory, count)
    return client, "attached" if what == "ok" else f"refused: {why}"


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
    mode, path, *numbers = sys.argv[1:]
    if mode == "queue":
        kept, line = queue(path)
    elif mode == "attach":
        kept, line = attach(path, int(numbers[0]))
    else:
        kept = connect_many(path, int(numbers[0]))
        line = f"connected {len(kept)}"
    print(line, flush=True)
    sys.stdin.read()
    del kept


main()
