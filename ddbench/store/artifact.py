"""Artifacts: the stored outputs of stages."""

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


class Manifest(Part):
    """The description of an artifact.

    Attributes:
        format: the format in which the manifest was written; 1 is that of ddbench 0.1, whose keys differ.
        action_key: the key of the artifact.
        recipe_key: the key of its recipe.
        stage: the name of the stage.
        recipe: the recipe, with recipe keys of the inputs.
        inputs: content digests of the inputs, by name.
        digest: SHA-256 of the decoded content. Equal work has equal digests on every machine.
        files: (SHA-256 of the bytes, size) by path in the artifact.
        provenance: the origin of each component involved, by role.
        info: timings, peak memory, environment and further JSON.
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
        """Read a manifest of format 1 or 2. Raise CorruptError with the place ``where`` for any other value."""
        return parse_part(cls, upgrade_manifest(value, where), "manifest", where)

    @property
    def size(self) -> int:
        """Size of the payload in bytes."""
        return sum(size for _, size in self.files.values())


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
            digests[name] = sha256_json(json.loads(path.read_text(encoding="utf-8")))
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
            if not path.is_file() or file_sha256(path) != self.manifest.files[name][0]:
                raise CorruptError("the file is damaged", where=str(path))
            self._checked.add(name)
        return path

    @property
    def tensor_names(self) -> tuple[str, ...]:
        """The names of its tensors."""
        prefix, suffix = "tensors/", ".safetensors"
        names = (name for name in self.manifest.files if name.startswith(prefix))
        return tuple(sorted(name.removeprefix(prefix).removesuffix(suffix) for name in names))

    def tensor(self, name: str) -> Tensor:
        """Return a tensor by name. Raise CorruptError if its file has changed since it was written."""
        from safetensors.torch import load_file

        return load_file(self._path(f"tensors/{name}.safetensors"))["value"]

    def content(self) -> Any:
        """Return the JSON content. Raise CorruptError if its file has changed since it was written."""
        return json.loads(self._path(CONTENT).read_text(encoding="utf-8"))

    def verify(self) -> None:
        """Check every file. Raise CorruptError if one has changed."""
        for name in self.manifest.files:
            self._path(name)

    def files(self) -> Path:
        """Return the folder that a fit wrote, after checking its files. Raise CorruptError if one has changed."""
        self.verify()
        return self._folder / "files"
