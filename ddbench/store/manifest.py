"""The manifest of an artifact: the JSON file that describes it."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import PurePosixPath
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo, field_validator

from ddbench.record import Assessment, Machine, Part, Provenance, Usage, parse_part
from ddbench.record.format1 import upgrade_manifest
from ddbench.record.part import first_mistake
from ddbench.record.run_record import Count

# Most names, which need no closer look.
_PLAIN: Final = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9]+)?")


class Info(Part):
    """The entries of a manifest's ``info`` that ddbench reads. All may be missing.

    Attributes:
        usage: the cost of the work.
        environment: the machine that did the work.
        samples: number of samples.
        pool_size: number of images that a selector chose from.
        notes: remarks on the output.
        created: the time in ISO 8601.
        assessment: the scores of a distilled set.
    """

    usage: Usage | None = None
    environment: Machine | None = None
    samples: Count | None = None
    pool_size: Count | None = None
    notes: list[str] = Field(default_factory=list)
    created: str | None = None
    assessment: Assessment | None = None


class Used(Part):
    """A component in a recipe.

    Attributes:
        name: its name.
        version: its declared version.
    """

    name: str
    version: int


class Recipe(Part):
    """The entries of a recipe that ddbench reads.

    Attributes:
        uses: the components by their part in the work.
        settings: the seeds and sizes of the work.
    """

    uses: dict[str, Used]
    settings: dict[str, Any]


def _check_inside(name: str) -> str:
    """Return the path of a file inside an artifact. Raise ValueError for any other path."""
    if _PLAIN.fullmatch(name):
        return name
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name or str(path) != name or not path.parts:
        raise ValueError("a file is outside the artifact")
    return name


Name = Annotated[str, AfterValidator(_check_inside)]


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
    files: dict[Name, Annotated[tuple[str, Count], Field(strict=False)]]
    provenance: dict[str, Provenance]
    info: dict[str, Any]

    @field_validator("recipe", "info")
    @classmethod
    def _check_entries(cls, value: dict[str, Any], field: ValidationInfo) -> dict[str, Any]:
        try:
            (Recipe if field.field_name == "recipe" else Info).model_validate(value)
        except ValidationError as error:
            raise ValueError(first_mistake(error)) from None
        return value

    @cached_property
    def made(self) -> Info:
        """The known entries of ``info``."""
        return Info.model_validate(self.info)

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
