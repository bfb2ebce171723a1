"""One artifact: what a stage made, under the key of what made it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from ddbench.api.canonical import canonical_json, combine_digests, sha256_json, tensor_digest
from ddbench.errors import StoreError
from ddbench.record import Part, Provenance, parse_part
from ddbench.record.format1 import upgrade_manifest
from ddbench.toolkit.files import CorruptError, file_sha256, sync_file, sync_folder

if TYPE_CHECKING:
    from torch import Tensor

MANIFEST = "manifest.json"
CONTENT = "content.json"


@dataclass(frozen=True, eq=False)
class Output:
    """What a stage hands over.

    Attributes:
        tensors: by name.
        content: JSON that belongs to the result: it enters the digest.
        info: JSON worth keeping that does not: timings, remarks.
        folder: files (safetensors, JSON) that a fit wrote.
    """

    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    content: Any = None
    info: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None

    @property
    def samples(self) -> int | None:
        """How many samples its tensors have a row for; None without tensors."""
        rows = (len(tensor) for name, tensor in self.tensors.items() if not name.startswith("class."))
        return next(rows, None)


class Manifest(Part):
    """What is known of an artifact without opening it.

    Attributes:
        format: the format that the manifest was written in; 1 is that of ddbench 0.1, with other keys.
        recipe: what was asked for, with the inputs' recipe keys.
        inputs: the inputs' content digests.
        digest: SHA-256 over the decoded content: equal work has equal digests wherever it was done.
        files: path in the artifact to (SHA-256 of the bytes, size).
        provenance: the origin of each component involved, by role.
        info: timings, peak memory, environment, remarks.
    """

    format: Literal[1, 2] = 2
    action_key: str
    recipe_key: str
    stage: str
    recipe: dict[str, Any]
    inputs: dict[str, str]
    digest: str
    files: dict[str, Annotated[tuple[str, Annotated[int, Field(ge=0)]], Field(strict=False)]]
    provenance: dict[str, Provenance]
    info: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return the manifest as a JSON object."""
        return self.model_dump(mode="json")

    @classmethod
    def parse(cls, value: Any, where: str | None = None) -> Manifest:
        """Read a manifest of format 1 or 2; raise CorruptError, which names ``where``, for anything else."""
        return parse_part(cls, upgrade_manifest(value, where), "manifest", where)

    @property
    def size(self) -> int:
        """Bytes of the payload."""
        return sum(size for _, size in self.files.values())


def write_payload(output: Output, folder: Path) -> tuple[str, dict[str, tuple[str, int]]]:
    """Write an output's payload into ``folder``, synced; return its digest and its files' checksums."""
    from safetensors.torch import save

    digests: dict[str, str] = {}
    for name, tensor in output.tensors.items():
        path = folder / "tensors" / f"{name}.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written by us: the library's own writer reports a full disk as something other than an OSError.
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
    """Digests of a fit's files over what they say, not how it is spelt."""
    from safetensors.torch import load_file

    digests: dict[str, str] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = f"file/{path.relative_to(folder).as_posix()}"
        if path.suffix == ".safetensors":
            tensors = load_file(path)
            digests[name] = combine_digests({key: tensor_digest(tensor) for key, tensor in tensors.items()})
        elif path.suffix == ".json":
            digests[name] = sha256_json(json.loads(path.read_text(encoding="utf-8")))
        else:
            raise StoreError(
                f"a fit wrote '{path.name}'", where=str(path), hint="a fitted folder holds .safetensors and .json files"
            )
    return digests


class Artifact:
    """A stored artifact, read on demand; every file is checked against the manifest when it is first read."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.manifest = manifest
        self._folder = folder
        self._checked: set[str] = set()

    def _path(self, name: str) -> Path:
        path = self._folder / name
        if name not in self._checked:
            if name not in self.manifest.files:
                raise StoreError(f"the artifact holds no '{name}'", where=str(self._folder))
            if not path.is_file() or file_sha256(path) != self.manifest.files[name][0]:
                raise CorruptError("is damaged", where=str(path))
            self._checked.add(name)
        return path

    @property
    def tensor_names(self) -> tuple[str, ...]:
        """The names of its tensors."""
        prefix, suffix = "tensors/", ".safetensors"
        names = (name for name in self.manifest.files if name.startswith(prefix))
        return tuple(sorted(name.removeprefix(prefix).removesuffix(suffix) for name in names))

    def tensor(self, name: str) -> Tensor:
        """A tensor by name. Raises CorruptError if its file has changed since it was written."""
        from safetensors.torch import load_file

        return load_file(self._path(f"tensors/{name}.safetensors"))["value"]

    def content(self) -> Any:
        """Its JSON content. Raises CorruptError if the file has changed since it was written."""
        return json.loads(self._path(CONTENT).read_text(encoding="utf-8"))

    def verify(self) -> None:
        """Check every file. Raises CorruptError if one has changed."""
        for name in self.manifest.files:
            self._path(name)

    def files(self) -> Path:
        """The folder that a fit wrote, every file of it checked. Raises CorruptError if one has changed."""
        self.verify()
        return self._folder / "files"
