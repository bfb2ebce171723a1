"""``python -m ddbench`` without its start: a server that has imported ddbench and torch forks for each command.

As in ``tests.in_process``, a run has no workers. A command has its own arguments, folder, environment and files. What
Python reads only as it starts, such as ``PYTHONOPTIMIZE``, is the server's.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import traceback
from contextlib import suppress
from pathlib import Path

# Every optimizer imports dynamo. The Hugging Face Hub library is missing, since it reads its environment at its import.
_IMPORTED = (
    "torch._dynamo",
    "ddbench.plan.state",
    "ddbench.report.leaderboard",
    "ddbench.run.evaluation",
    "tests.in_process",
)
# What a test starts: it hands its arguments and files to the server, and ends as the command does.
_CLIENT = """
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect(sys.argv[1])
    socket.send_fds(server, [b"."], [0, 1, 2])
    server.sendall(json.dumps([sys.argv[2:], os.getcwd(), dict(os.environ)]).encode() + b"\\n")
    code = server.recv(1)
sys.exit(code[0] if code else "the command was killed")
"""


@functools.cache
def command() -> list[str]:
    """Return what to write for ``python -m ddbench`` at the beginning of a command line."""
    folder = tempfile.TemporaryDirectory(prefix="ddbench-forked-")
    place = str(Path(folder.name) / "socket")
    start, root = [sys.executable, "-m", "tests.forked", place], Path(__file__).parents[1]
    server = subprocess.Popen(start, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    atexit.register(folder.cleanup)
    atexit.register(server.communicate)  # the server ends with its input
    assert server.stdout is not None
    assert server.stdout.read(1), "the server has begun"
    return [sys.executable, "-I", "-S", "-c", _CLIENT, place]


def _serve(place: str) -> None:
    import ddbench_components

    for name in _IMPORTED:
        importlib.import_module(name)
    list(ddbench_components.ddbench_components())
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(place)
        listener.listen()
        os.write(1, b".")
        while listener in select.select([listener, 0], [], [])[0]:
            caller, _ = listener.accept()
            if os.fork() == 0:
                _answer(caller)
            caller.close()
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
    os._exit(0)  # torch's libraries report what they leak at an exit


def _answer(caller: socket.socket) -> None:
    code = 1
    try:
        for number, file in enumerate(socket.recv_fds(caller, 1, 3)[1]):
            os.dup2(file, number)
        streams = (os.fdopen(i, "rww"[i], encoding="utf-8", closefd=False) for i in range(3))
        sys.stdin, sys.stdout, sys.stderr = streams
        code = _run(*json.loads(caller.makefile().readline()))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        caller.send(bytes([code]))
        os._exit(code)


def _run(arguments: list[str], folder: str, environment: dict[str, str]) -> int:
    from ddbench.__main__ import main
    from ddbench.run import start
    from tests.in_process import InProcessExecutor

    os.chdir(folder)
    paths, servers = (env.get("PYTHONPATH", "").split(os.pathsep) for env in (environment, os.environ))
    sys.path[:] = [folder, *filter(None, paths), *(path for path in sys.path[1:] if path not in servers)]
    importlib.invalidate_caches()
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["ddbench", *arguments]
    start.LocalExecutor = InProcessExecutor  # type: ignore[misc, assignment]
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


if __name__ == "__main__":
    _serve(sys.argv[1])
