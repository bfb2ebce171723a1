"""Photographs of any size, decoded once to one size and stored with a manifest of their files."""

from __future__ import annotations

import fcntl
import json
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Final

from safetensors.torch import load_file
from torch import Tensor

from ddbench import DataError
from ddbench.toolkit import CorruptError, file_sha256, read_sealed, sha256_json, sync_file, write_sealed

from ..._image_reader import decode
from ..._paths import printable

# Increase this number when the same files give other pixels.
_RECIPE: Final = 1
_AT_ONCE: Final = 1000
_log = logging.getLogger("ddbench")


@dataclass(frozen=True)
class DecodedImages:
    """The pixels of image files, in order.

    They are stored in ``<split>-<digest>.safetensors``; the digest covers the names and bytes of the files. A manifest
    next to it holds these and the SHA-256 of the stored file. It is written last. Pixels without a manifest, or with
    another digest, are decoded again.

    Attributes:
        folder: the folder of the stored pixels.
        split: the prefix of their file names.
        source: the folder that ``files`` are relative to.
        files: paths of the image files.
        size: height and width of the result, in pixels.
        content: a digest of the files' bytes, which can change without changing size.
        upright: apply the orientation in the EXIF data.
    """

    folder: Path
    split: str
    source: Path
    files: Sequence[str]
    size: int
    content: str
    upright: bool = False

    def read(self, progress: Callable[[int, int], None] = lambda done, total: None) -> Tensor:
        """Return uint8 ``[N, 3, size, size]``, mapped from disk, and decode the files first if necessary.

        Args:
            progress: a callback that receives the bytes of image files, decoded and total.

        Raises:
            DataError: a file cannot be decoded, or the folder cannot be written.
        """
        try:
            if not self._is_complete():
                self.folder.mkdir(parents=True, exist_ok=True)
                with (self.folder / "lock").open("w") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    if not self._is_complete():  # another process may have stored them in the meantime
                        self._make(progress)
            return load_file(self._pixels)["images"]
        except OSError as error:
            raise DataError(
                f"cannot be written or read: {error.strerror or error}",
                where=str(error.filename or self.folder),
                hint="free disk space, or set DDBENCH_DATA to another folder",
            ) from None

    @cached_property
    def _inputs(self) -> dict[str, Any]:
        """Return everything that determines the pixels."""
        sizes = [[printable(name), (self.source / name).stat().st_size] for name in self.files]
        inputs = {"recipe": _RECIPE, "size": self.size, "files": sizes, "content": self.content}
        return inputs | ({"upright": True} if self.upright else {})

    @cached_property
    def _stem(self) -> str:
        return f"{self.split}-{sha256_json(self._inputs)[:16]}"

    @property
    def _pixels(self) -> Path:
        return self.folder / f"{self._stem}.safetensors"

    @property
    def _manifest(self) -> Path:
        return self.folder / f"{self._stem}.json"

    def _is_complete(self) -> bool:
        try:
            manifest = read_sealed(self._manifest)
        except CorruptError:
            return False
        if manifest is None or not self._pixels.is_file():
            return False
        return manifest == {**self._inputs, "sha256": file_sha256(self._pixels)}

    def _make(self, progress: Callable[[int, int], None]) -> None:
        """Decode into a temporary file, rename it, and delete the pixels of earlier lists of files."""
        incoming = self.folder / f"{self.split}.incoming"
        try:
            with incoming.open("wb") as file:
                self._decode(file, progress)
            sync_file(incoming)
            digest = file_sha256(incoming)
            incoming.replace(self._pixels)
        finally:
            incoming.unlink(missing_ok=True)
        write_sealed(self._manifest, {**self._inputs, "sha256": digest})
        for path in self.folder.glob(f"{self.split}-*"):
            if path.stem != self._stem:
                path.unlink()

    def _decode(self, file: IO[bytes], progress: Callable[[int, int], None]) -> None:
        """Write the pixels as one safetensors tensor, image after image, because they may not fit into memory."""
        count, one = len(self.files), 3 * self.size**2
        sizes = [size for _, size in self._inputs["files"]]
        done, total = 0, sum(sizes)
        shape = [count, 3, self.size, self.size]
        header = json.dumps({"images": {"dtype": "U8", "shape": shape, "data_offsets": [0, count * one]}}).encode()
        header += b" " * (-len(header) % 8)
        file.write(len(header).to_bytes(8, "little") + header)
        with ThreadPoolExecutor() as pool:
            for start in range(0, count, _AT_ONCE):
                stop = min(start + _AT_ONCE, count)
                for row, pixels in enumerate(pool.map(self._row, range(start, stop)), start=start):
                    file.write(pixels)
                    done += sizes[row]
                    progress(done, total)
                _log.info("decoded %d of %d images of %s", stop, count, self.source)

    def _row(self, row: int) -> bytes:
        return decode(self.source / self.files[row], self.size, upright=self.upright).transpose(2, 0, 1).tobytes()
