"""Artifacts: the stored outputs of stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddbench.api.canonical import canonical_json, combine_digests, sha256_json, tensor_digest
from ddbench.errors import StoreError
from ddbench.store.manifest import Manifest
from ddbench.toolkit.files import CorruptError, file_sha256, parse_json, sync_file, sync_folder, unreadable

if TYPE_CHECKING:
    from torch import Tensor

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
    for name, tensor in output.tensors.items():
        path = folder / "tensors" / f"{name}.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        # safetensors' own writer does not report a full disk as an OSError.
        path.write_bytes(save({"value": tensor.detach().cpu().contiguous()}))
        digests[f"tensor/{name}"] = tensor_digest(tensor)
    if output.content is not None:
        (folder / CONTENT).write_text(canonical_json(output.content), encoding="utf-8")
        digests["content"] = sha256_json(output.content)
    if output.folder is not None:
        output.folder.rename(folder / "files")
        digests.update(_folder_digests(folder / "files"))
    files: dict[str, tuple[str, int]] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        sync_file(path)
        files[path.relative_to(folder).as_posix()] = (file_sha256(path), path.stat().st_size)
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
    """A stored artifact that is read on demand. Each file is checked against the manifest when it is first read.

    Attributes:
        manifest: its description.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.manifest = manifest
        self._folder = folder
        self._checked: set[str] = set()

    def _path(self, name: str) -> Path:
        path = self._folder / name
        if name not in self._checked:
            if name not in self.manifest.files:
                raise StoreError(f"the artifact has no file '{name}'", where=str(self._folder))
            if not self._is_whole(path, *self.manifest.files[name]):
                raise CorruptError("the file is damaged", where=str(path))
            self._checked.add(name)
        return path

    def _is_whole(self, path: Path, sha256: str, size: int) -> bool:
        """Return whether a file has its recorded bytes. Raise StoreError if it cannot be read."""
        try:
            return path.is_file() and path.stat().st_size == size and file_sha256(path) == sha256
        except OSError as error:
            raise unreadable(path, error) from None

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

        path = self._path(f"tensors/{name}.safetensors")
        try:
            return load_file(path)["value"]
        except (SafetensorError, KeyError):
            raise StoreError("the file is not a stored tensor", where=str(path), hint=_FORGED) from None

    def content(self) -> Any:
        """Return the JSON content. Raise CorruptError if its file has changed since it was written."""
        path = self._path(CONTENT)
        try:
            return parse_json(path.read_bytes())
        except ValueError:
            raise StoreError("the file is not JSON", where=str(path), hint=_FORGED) from None

    def verify(self) -> None:
        """Check every file. Raise CorruptError if one has changed."""
        for name in self.manifest.files:
            self._path(name)

    def files(self) -> Path:
        """Return the folder that a fit wrote, after checking its files. Raise CorruptError if one has changed."""
        self.verify()
        return self._folder / "files"
