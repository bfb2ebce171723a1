"""What a suite file may say: its structure. What the names in it mean is resolved elsewhere."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

_POOL = re.compile(r"[1-9]\d*(\.\d+)?x")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ComponentUse(_Model):
    """A component by name, and the parameters that the suite sets."""

    use: str
    params: dict[str, Any] = {}


def _spread(value: Any) -> Any:
    """``k-center`` or ``{use: k-center, start: random}`` as name and parameters."""
    if isinstance(value, ComponentUse):
        return value
    if isinstance(value, str):
        return {"use": value}
    if isinstance(value, dict) and "use" in value:
        return {"use": value["use"], "params": {k: v for k, v in value.items() if k != "use"}}
    raise ValueError("a component is a name or a mapping with the key 'use'")


Use = Annotated[ComponentUse, BeforeValidator(_spread)]


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _pool(value: Any) -> Any:
    if isinstance(value, bool) or not (
        (isinstance(value, int) and value > 0) or (isinstance(value, str) and _POOL.fullmatch(value))
    ):
        raise ValueError("a pool is images a class (200) or a multiple of the IPC (4x)")
    return value


def _distinct(values: list[int]) -> list[int]:
    twice = [value for i, value in enumerate(values) if value in values[:i]]
    if twice:
        raise ValueError(f"{twice[0]} stands twice")
    return values


SeedList = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1), AfterValidator(_distinct)]
IpcList = Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1), AfterValidator(_distinct)]
# A role is the first part of a field's name, as in teacher.logits.
Role = Annotated[str, Field(pattern=r"^[a-z0-9]+([-_][a-z0-9]+)*$")]
Pool = Annotated[int | str, BeforeValidator(_pool)]
Names = Annotated[list[str], BeforeValidator(_listed)]


def _generator(value: Any) -> Any:
    if isinstance(value, dict):
        raise ValueError("a generator with parameters gets a name under 'generators', and is used by that name")
    return value


GeneratorName = Annotated[str, BeforeValidator(_generator)]


class Seeds(_Model):
    """The three axes. What varies is said by the lists' lengths."""

    generation: SeedList = [0]
    selection: SeedList = [0]
    training: SeedList = [0]


class Labels(_Model):
    """What the images of a distilled set are labelled with.

    Attributes:
        use: ``hard``, the class; or ``soft``, what a teacher says of the image.
        teacher: the role of the scorer that gives soft labels.
        tau: the temperature at which soft labels are used.
        when: whether the teacher is asked before or after refinement; a refiner that needs soft labels gets its own.
    """

    use: Literal["hard", "soft"]
    teacher: Role = "teacher"
    tau: float = Field(1.5, gt=0)
    when: Literal["before-refine", "after-refine"] = "before-refine"


def _labels(value: Any) -> Any:
    return {"use": value} if isinstance(value, str) else value


LabelsUse = Annotated[Labels, BeforeValidator(_labels)]


class Method(_Model):
    """A named row of the table.

    Attributes:
        published: the method of the suite's published numbers that the row is compared with.
    """

    generator: GeneratorName
    selector: Use
    refiner: Use = ComponentUse(use="none")
    pool: Pool | None = None
    labels: LabelsUse | None = None
    protocol: str | None = None
    published: str | None = None


class Matrix(_Model):
    """A product of components; its rows are named by them."""

    generator: list[GeneratorName] = Field(min_length=1)
    selector: list[Use] = Field(min_length=1)
    refiner: list[Use] = Field([ComponentUse(use="none")], min_length=1)
    pool: Pool | None = None
    labels: LabelsUse | None = None
    protocol: str | None = None


class Exclude(_Model):
    """Cells to leave out: those that match every key given here."""

    method: Names | None = None
    generator: Names | None = None
    selector: Names | None = None
    refiner: Names | None = None
    student: Names | None = None
    ipc: Annotated[list[int], BeforeValidator(_listed)] | None = None


class SuiteModel(_Model):
    """A suite file.

    Attributes:
        published: the path, from this file, of a CSV file of numbers that others have printed.
    """

    suite: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    dataset: Use
    protocol: str
    labels: LabelsUse = Labels(use="hard")
    ipc: IpcList
    students: list[Use] = Field(min_length=1)
    evaluator: Use = ComponentUse(use="student")
    numerics: Literal["reference", "fast"] = "fast"
    evaluate: Literal["last", "papers"] = "last"
    published: str | None = None
    seeds: Seeds = Seeds()
    generators: dict[str, Use] = {}
    scorers: dict[Role, Use] = {}
    methods: dict[str, Method] = {}
    matrix: Matrix | None = None
    exclude: list[Exclude] = []
