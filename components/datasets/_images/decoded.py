"""Photographs of many sizes, decoded once to pixels of one size and kept beside the list of files they came from."""

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

import numpy as np
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from ddbench import DataError
from ddbench.toolkit import CorruptError, file_sha256, read_sealed, sha256_json, sync_file, write_sealed

from ..._paths import printable

# Raised when equal files come to give other pixels.
_RECIPE: Final = 1
_AT_ONCE: Final = 1000
_log = logging.getLogger("ddbench")


@dataclass(frozen=True)
class DecodedImages:
    """The pixels of some image files, in their order.

    They are kept in ``<split>-<digest>.safetensors``, where the digest is that of the files' names and sizes, with a
    manifest beside it that tells these and the SHA-256 of the pixels' file. The manifest comes last: pixels without it,
    or with another digest, are made again.

    Attributes:
        folder: where they are kept.
        split: the beginning of their names.
        source: the folder that ``files`` are relative to.
        size: height and width of the result, in pixels.
        content: a digest of the files' bytes, where these may change without their sizes.
    """

    folder: Path
    split: str
    source: Path
    files: Sequence[str]
    size: int
    content: str | None = None

    def read(self, progress: Callable[[int, int], None] = lambda done, total: None) -> Tensor:
        """uint8 ``[N, 3, size, size]``, mapped from disk; ``progress`` is told bytes of files while they are decoded.

        Raises:
            DataError: naming a file that cannot be decoded, or the folder that cannot be written.
        """
        try:
            if not self._is_whole():
                self.folder.mkdir(parents=True, exist_ok=True)
                with (self.folder / "lock").open("w") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    if not self._is_whole():  # while we waited, another process may have made them
                        self._make(progress)
            return load_file(self._pixels)["images"]
        except OSError as error:
            raise DataError(
                f"cannot be written or read: {error.strerror or error}",
                where=str(error.filename or self.folder),
                hint="make room, or set DDBENCH_DATA to another folder",
            ) from None

    @cached_property
    def _decisive(self) -> dict[str, Any]:
        """What decides the pixels."""
        sizes = [[printable(name), (self.source / name).stat().st_size] for name in self.files]
        known = {"recipe": _RECIPE, "size": self.size, "files": sizes}
        return known if self.content is None else {**known, "content": self.content}

    @cached_property
    def _stem(self) -> str:
        return f"{self.split}-{sha256_json(self._decisive)[:16]}"

    @property
    def _pixels(self) -> Path:
        return self.folder / f"{self._stem}.safetensors"

    @property
    def _manifest(self) -> Path:
        return self.folder / f"{self._stem}.json"

    def _is_whole(self) -> bool:
        try:
            known = read_sealed(self._manifest)
        except CorruptError:
            return False
        if known is None or not self._pixels.is_file():
            return False
        return known == {**self._decisive, "sha256": file_sha256(self._pixels)}

    def _make(self, progress: Callable[[int, int], None]) -> None:
        """Decode, write aside, rename; forget the pixels of an earlier list of files."""
        aside = self.folder / f"{self.split}.incoming"
        try:
            with aside.open("wb") as file:
                self._decode(file, progress)
            sync_file(aside)
            digest = file_sha256(aside)
            aside.replace(self._pixels)
        finally:
            aside.unlink(missing_ok=True)
        write_sealed(self._manifest, {**self._decisive, "sha256": digest})
        for path in self.folder.glob(f"{self.split}-*"):
            if path.stem != self._stem:
                path.unlink()

    def _decode(self, file: IO[bytes], progress: Callable[[int, int], None]) -> None:
        """Write the pixels as the one tensor of a safetensors file, image after image: they may be more than memory."""
        count, one = len(self.files), 3 * self.size**2
        sizes = [size for _, size in self._decisive["files"]]
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
        return decode(self.source / self.files[row], self.size).transpose(2, 0, 1).tobytes()


def decode(path: Path, size: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The middle of a photograph whose shorter side is brought to ``size`` pixels: RGB, uint8 ``[size, size, 3]``.

    Raises:
        DataError: naming the file: it cannot be decoded.
    """
    try:
        with Image.open(path) as image:
            rgb = image.convert("RGB")
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        why = str(error).replace(repr(str(path)), "the file")
        raise DataError(
            f"cannot be decoded ({why})", where=str(path), hint="put an undamaged image in its place, or remove it"
        ) from None
    shorter = min(rgb.size)
    # Rounded as torchvision does: the longer side down, the crop's corner to the even one of two.
    width, height = (size * side // shorter for side in rgb.size)
    left, top = round((width - size) / 2), round((height - size) / 2)
    resized = rgb.resize((width, height), Image.Resampling.BILINEAR)
    return np.array(resized.crop((left, top, left + size, top + size)))
