"""A client of a recorder, for test_whose.py.

    client.py SOCKET                attaches, prints the answer, waits for the end of input
    client.py SOCKET --run          attaches, then runs as a child what is in the variable PROGRAM
    client.py SOCKET --inherited    connects, prints its pid and ends. Its child has the connection,
                                    attaches after a line of input, prints the answer, and goes on
                                    until the end of input
"""
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../data"))
import control  # noqa: E402

connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
connection.connect(sys.argv[1])


def attach():
    connection.send(control.request("attach"))
    return " ".join(control.answer(connection.recv(65536)))


what = sys.argv[2] if len(sys.argv) > 2 else None
if what == "--inherited":
    if os.fork():
        print(os.getpid(), flush=True)
        os._exit(0)
    sys.stdin.readline()
    print(attach(), flush=True)
    sys.stdin.read()
elif what == "--run":
    answer = attach()
    if not answer.startswith("ok"):
        sys.exit(answer)
    child = os.fork()
    if not child:
        program = os.environ["PROGRAM"].split()
        os.execv(program[0], program)
    os.waitpid(child, 0)
else:
    print(attach(), flush=True)
    sys.stdin.read()
