"""A Hugging Face Hub on this machine: as much of its HTTP interface as fetching weights takes."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = (".safetensors", ".bin")


@dataclass
class Hub:
    """The content, faults and recorded requests of a fake Hub.

    Attributes:
        repositories: the content of each file.
        gated: repositories whose files nobody may have.
        breaks: how many transfers of a file still break in the middle.
        refused: files that are not to be had for now.
        stalls: files of which half is sent, and then nothing more.
        damaged: files that arrive with other bytes.
        asked: method and path of each request.
    """

    repositories: dict[str, Mapping[str, bytes]]
    endpoint: str = ""
    gated: set[str] = field(default_factory=set)
    breaks: dict[str, int] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    stalls: set[str] = field(default_factory=set)
    damaged: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)
    half_sent: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)

    def sent(self, file: str) -> int:
        """Return the number of downloads of a file."""
        return sum(method == "GET" and path.endswith(f"/{file}") for method, path in self.asked)


def etag(file: str, content: bytes) -> str:
    """Return a SHA-256 for large files, otherwise git's digest."""
    if file.endswith(LARGE):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def information(name: str, files: Mapping[str, bytes]) -> bytes:
    """Return the Hub's description of a repository."""
    siblings = [
        {
            "rfilename": file,
            "size": len(content),
            "blobId": hashlib.sha1(content).hexdigest(),
            "lfs": {"sha256": etag(file, content), "size": len(content), "pointerSize": 130}
            if file.endswith(LARGE)
            else None,
        }
        for file, content in files.items()
    ]
    return json.dumps({"id": name, "modelId": name, "sha": COMMIT, "siblings": siblings, "tags": []}).encode()


class _Handler(BaseHTTPRequestHandler):
    """A handler of requests to a hub."""

    hub: ClassVar[Hub]

    def do_GET(self) -> None:
        self.answer(content=True)

    def do_HEAD(self) -> None:
        self.answer(content=False)

    def answer(self, content: bool) -> None:
        self.hub.asked.append((self.command, self.path))
        parts = self.path.partition("?")[0].strip("/").split("/")
        api = parts[:2] == ["api", "models"]
        name = "/".join(parts[2:4] if api else parts[:2])
        if name not in self.hub.repositories:
            self.refuse(401, "RepoNotFound")
        elif api:
            self.send(200, information(name, self.hub.repositories[name]), {"Content-Type": "application/json"})
        elif name in self.hub.gated:
            self.refuse(403, "GatedRepo")
        else:
            assert parts[2:4] == ["resolve", COMMIT]
            self.file("/".join(parts[4:]), self.hub.repositories[name], content)

    def file(self, file: str, files: Mapping[str, bytes], content: bool) -> None:
        if file not in files:
            self.refuse(404, "EntryNotFound")
            return
        data, breaks = files[file], self.hub.breaks.get(file, 0)
        headers = {"ETag": f'"{etag(file, data)}"', "X-Repo-Commit": COMMIT}
        if file in self.hub.damaged:
            data = bytes(byte ^ 1 for byte in data)
        if not content:
            self.send(200, data, headers, body=False)
        elif breaks:
            self.hub.breaks[file] = breaks - 1
            self.send(200, data, headers, half=True)
        elif file in self.hub.refused:
            self.refuse(503, "")
        else:
            self.send(200, data, headers, half=file in self.hub.stalls)
            if file in self.hub.stalls:
                self.hub.half_sent.set()
                self.hub.done.wait(30)

    def refuse(self, status: int, code: str) -> None:
        self.send(status, b"", {"X-Error-Code": code, "X-Error-Message": "no"})

    def send(self, status: int, data: bytes, headers: dict[str, str], *, body: bool = True, half: bool = False) -> None:
        self.send_response(status)
        for header, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(header, value)
        self.end_headers()
        if body and self.command == "GET":
            self.wfile.write(data[: len(data) // 2] if half else data)
            self.wfile.flush()

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serving(repositories: dict[str, Mapping[str, bytes]]) -> Iterator[Hub]:
    """Serve repositories until the end of the block."""
    hub = Hub(repositories)

    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield hub
    finally:
        hub.done.set()
        server.shutdown()
        server.server_close()
