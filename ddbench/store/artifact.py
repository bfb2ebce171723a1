"""Artifacts: the stored outputs of stages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddbench.api.canonical import canonical_json, combine_digests, sha256_json, tensor_digest
from ddbench.errors import StoreError
from ddbench.store.manifest import Manifest
from ddbench.toolkit.files import CorruptError, file_sha256, parse_json, sync_file, sync_folder, unreadable

if TYPE_CHECKING:
    from torch import Tensor

_Stamp = tuple[int, int, int, int]
CONTENT = "content.json"
# The checksum of such a file is right, so it is no damage that a run could make good.
_FORGED = "ddbench did not write it; remove the folder of the artifact"


@dataclass(frozen=True, eq=False)
class Output:
    """The output of a stage.

    Attributes:
        tensors: tensors by name.
        content: JSON that is part of the result and enters the digest.
        info: further JSON that does not enter the digest, such as timings.
        folder: a folder of safetensors and JSON files that a fit wrote.
    """

    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    content: Any = None
    info: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None

    @property
    def samples(self) -> int | None:
        """The number of samples in its tensors; None without tensors."""
        rows = (len(tensor) for name, tensor in self.tensors.items() if not name.startswith("class."))
        return next(rows, None)


def write_payload(output: Output, folder: Path) -> tuple[str, dict[str, tuple[str, int]]]:
    """Write and sync an output's payload into ``folder``. Return its digest, and checksum and size of each file."""
    from safetensors.torch import save

    digests: dict[str, str] = {}
    files: dict[str, tuple[str, int]] = {}

    def write(name: str, data: bytes) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
        files[name] = (hashlib.sha256(data).hexdigest(), len(data))  # of what should be on the disk

    for name, tensor in output.tensors.items():
        # safetensors' own writer does not report a full disk as an OSError.
        write(f"tensors/{name}.safetensors", save({"value": tensor.detach().cpu().contiguous()}))
        digests[f"tensor/{name}"] = tensor_digest(tensor)
    if output.content is not None:
        write(CONTENT, canonical_json(output.content).encode())
        digests["content"] = sha256_json(output.content)
    if output.folder is not None:
        output.folder.rename(folder / "files")
        digests.update(_folder_digests(folder / "files"))
        for path in sorted(p for p in (folder / "files").rglob("*") if p.is_file()):
            files[path.relative_to(folder).as_posix()] = (file_sha256(path), path.stat().st_size)
    for name in files:
        sync_file(folder / name)
    for path in [folder, *(p for p in folder.rglob("*") if p.is_dir())]:
        sync_folder(path)
    return combine_digests(digests), files


def _folder_digests(folder: Path) -> dict[str, str]:
    """Return digests of a fit's files over their decoded content."""
    from safetensors.torch import load_file

    digests: dict[str, str] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = f"file/{path.relative_to(folder).as_posix()}"
        if path.suffix == ".safetensors":
            tensors = load_file(path)
            digests[name] = combine_digests({key: tensor_digest(tensor) for key, tensor in tensors.items()})
        elif path.suffix == ".json":
            try:
                digests[name] = sha256_json(parse_json(path.read_bytes()))
            except ValueError as error:
                raise StoreError(f"a fit wrote '{path.name}', which is not JSON: {error}", where=str(path)) from None
        else:
            raise StoreError(
                f"a fit wrote '{path.name}'", where=str(path), hint="a fit may only write .safetensors and .json files"
            )
    return digests


class Artifact:
    """A stored artifact that is read on demand.

    Each file is checked against the manifest when it is first read, and again if it has changed since.

    Attributes:
        manifest: its description.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.manifest = manifest
        self._folder = folder
        self._checked: dict[str, _Stamp] = {}

    def _check(self, name: str) -> None:
        """Raise CorruptError if a file does not have its recorded bytes, or StoreError if it cannot be read."""
        if name not in self.manifest.files:
            raise StoreError(f"the artifact has no file '{name}'", where=str(self._folder))
        path, (sha256, size) = self._folder / name, self.manifest.files[name]
        try:
            now = _stamp(path)
            if self._checked.get(name) == now:
                return
            intact = path.is_file() and path.stat().st_size == size and file_sha256(path) == sha256
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            intact = False
        except OSError as error:
            raise unreadable(path, error) from None
        if not intact:
            raise CorruptError("the file is damaged", where=str(path))
        self._checked[name] = now

    @contextmanager
    def _reading(self, *names: str) -> Iterator[None]:
        """Check files before and after they are read. An error of reading a file that has changed is a CorruptError."""
        for name in names:
            self._check(name)
        try:
            yield
        finally:
            for name in names:
                self._check(name)

    @property
    def tensor_names(self) -> tuple[str, ...]:
        """The names of its tensors."""
        prefix, suffix = "tensors/", ".safetensors"
        names = (name for name in self.manifest.files if name.startswith(prefix))
        return tuple(sorted(name.removeprefix(prefix).removesuffix(suffix) for name in names))

    def tensor(self, name: str) -> Tensor:
        """Return a tensor by name. Raise CorruptError if its file has changed since it was written."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        file = f"tensors/{name}.safetensors"
        path = self._folder / file
        with self._reading(file):
            try:
                return load_file(path)["value"]
            except (SafetensorError, KeyError):
                raise StoreError("the file is not a stored tensor", where=str(path), hint=_FORGED) from None

    def content(self) -> Any:
        """Return the JSON content. Raise CorruptError if its file has changed since it was written."""
        path = self._folder / CONTENT
        with self._reading(CONTENT):
            try:
                return parse_json(path.read_bytes())
            except ValueError:
                raise StoreError("the file is not JSON", where=str(path), hint=_FORGED) from None

    def verify(self) -> None:
        """Check every file. Raise CorruptError if one has changed."""
        for name in self.manifest.files:
            self._check(name)

    @contextmanager
    def files(self) -> Iterator[Path]:
        """Lend the folder that a fit wrote. Raise CorruptError if a file has changed, before or while it is read."""
        with self._reading(*self.manifest.files):
            yield self._folder / "files"


def _stamp(path: Path) -> _Stamp:
    """Return what changes when a file is written or replaced."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
