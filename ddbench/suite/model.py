"""The structure of a suite file. ``resolve`` looks up the names in it."""

from __future__ import annotations

import re
from itertools import product
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from ddbench.api.settings import EvaluationSettings
from ddbench.limits import IMAGES_PER_CLASS, NAME_CHARACTERS
from ddbench.suite.protocols import Changes, ProtocolUse
from ddbench.suite.references import Scores, SetScores
from ddbench.text import one_line

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smh])")
_UNITS = {"s": 1, "m": 60, "h": 3600}
_POOL = re.compile(r"[1-9]\d*(\.\d+)?x")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ComponentUse(_Model):
    """A component: its name, or a mapping of ``use`` and the parameters that the suite sets.

    Attributes:
        use: The component's name.
        params: The other keys of the mapping.
    """

    use: str
    params: dict[str, Any] = {}


def _spread(value: Any) -> Any:
    """Convert ``k-center`` or ``{use: k-center, start: random}`` to name and parameters."""
    if isinstance(value, ComponentUse):
        return value
    if isinstance(value, str):
        return {"use": value}
    if isinstance(value, dict) and "use" in value:
        return {"use": value["use"], "params": {k: v for k, v in value.items() if k != "use"}}
    raise ValueError("give the name of a component, or a mapping with the key 'use'")


Use = Annotated[ComponentUse, BeforeValidator(_spread)]


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _pool(value: Any) -> Any:
    if isinstance(value, bool) or not (
        (isinstance(value, int) and 0 < value <= IMAGES_PER_CLASS)
        or (isinstance(value, str) and _POOL.fullmatch(value))
    ):
        limit = f"at most {IMAGES_PER_CLASS:,}"
        raise ValueError(f"give a number of images per class (200; {limit}) or a multiple of the IPC (4x)")
    return value


def _seconds(value: Any) -> Any:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    seconds = float(found[1]) * _UNITS[found[2]] if found else value
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < 10**9:
        raise ValueError("give a number of seconds, or a time such as 90s, 30m or 2h")
    return float(seconds)


def _distinct(values: list[int]) -> list[int]:
    seen: set[int] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"{value} occurs twice")
        seen.add(value)
    return values


def _name(value: str) -> str:
    if one_line(value) != value or value != value.strip():
        raise ValueError("give a name without line breaks, tabs and spaces at its ends")
    return value


Name = Annotated[str, Field(min_length=1, max_length=NAME_CHARACTERS), AfterValidator(_name)]


SeedList = Annotated[list[Annotated[int, Field(ge=0, lt=2**63)]], Field(min_length=1), AfterValidator(_distinct)]
Ipc = Annotated[int, Field(ge=1, le=IMAGES_PER_CLASS)]
IpcList = Annotated[list[Ipc], Field(min_length=1), AfterValidator(_distinct)]
# A role is the first part of a field's name, as in teacher.logits.
Role = Annotated[str, Field(pattern=r"^[a-z0-9]+([-_][a-z0-9]+)*$")]
Pool = Annotated[int | str, BeforeValidator(_pool)]
Names = Annotated[list[str], BeforeValidator(_listed)]


def _generator(value: Any) -> Any:
    if isinstance(value, dict):
        raise ValueError("define a generator with parameters under 'generators', and give its name here")
    return value


GeneratorName = Annotated[str, BeforeValidator(_generator)]


def _selection(value: Any) -> Any:
    if value is None or (isinstance(value, str) and value != "generation"):
        raise ValueError("give a list of seeds, or `generation` to select each set with its generation seed")
    return None if value == "generation" else value


class Seeds(_Model):
    """The seeds of the three axes.

    Attributes:
        generation: The seeds of generation.
        selection: The seeds of selection. Each is combined with each generation seed. Write ``generation`` in place of
            a list to select each set with the seed that it was generated with.
        training: The seeds of training. Each is combined with each distilled set.
    """

    generation: SeedList = [0]
    # None stands for ``generation``.
    selection: Annotated[SeedList | None, BeforeValidator(_selection)] = [0]
    training: SeedList = [0]

    @property
    def count(self) -> int:
        """The number of trainings of each row, IPC and student."""
        return len(self.generation) * len([0] if self.selection is None else self.selection) * len(self.training)

    @property
    def of_sets(self) -> list[tuple[int, int]]:
        """The generation and selection seeds of each distilled set."""
        if self.selection is None:
            return [(seed, seed) for seed in self.generation]
        return list(product(self.generation, self.selection))


class Labels(_Model):
    """The labels of a distilled set: ``hard``, ``soft``, ``stored`` or ``shuffled``, or a mapping.

    Attributes:
        use: ``hard`` labels are classes; ``soft`` labels are the predictions of a teacher. ``stored`` labels are
            predictions that came with the images of an imported pool. ``shuffled`` is a control: the classes of a set
            in random order, by its selection seed. Its students must be at chance.
        teacher: The role of the scorer that gives soft labels. With stored labels, only a refiner uses it.
        tau: The temperature of soft labels. If students learn from them, it must equal the protocol's temperature.
        when: Label the images before or after refinement. A refiner that needs soft labels always gets labels of the
            images before refinement.
    """

    use: Literal["hard", "soft", "stored", "shuffled"]
    teacher: Role = "teacher"
    tau: float = Field(1.5, gt=0)
    when: Literal["before-refine", "after-refine"] = "before-refine"


def _labels(value: Any) -> Any:
    return {"use": value} if isinstance(value, str) else value


LabelsUse = Annotated[Labels, BeforeValidator(_labels)]


class Method(_Model):
    """A named row of the table.

    Attributes:
        generator: A component's name, or a name under ``generators``.
        selector: The selector.
        refiner: The refiner. ``none`` keeps the selected images as they are.
        pool: Candidates per class (``200``), or a multiple of the IPC (``4x``). By default the selector decides; a
            finite generator gives all its samples.
        labels: Labels of this row, in place of the suite's.
        protocol: Protocol of this row, in place of the suite's.
        published: The method of the suite's published numbers that the row is compared with.
    """

    generator: GeneratorName
    selector: Use
    refiner: Use = ComponentUse(use="none")
    pool: Pool | None = None
    labels: LabelsUse | None = None
    protocol: ProtocolUse | None = None
    published: str | None = None


class PooledSelector(_Model):
    """A selector of a matrix: a component, or a mapping of these keys.

    Attributes:
        selector: The selector.
        pool: Candidates per class (``200``), or a multiple of the IPC (``4x``), for this selector.
    """

    selector: Use
    pool: Pool | None = None


def _pooled(value: Any) -> Any:
    return value if isinstance(value, dict) and "selector" in value else {"selector": value}


class Matrix(_Model):
    """A product of components. Each combination is a row, named after its components.

    Attributes:
        generator: Names of components, or names under ``generators``.
        selector: Selectors. For a pool of its own, write ``{selector: NAME, pool: 5x}``.
        refiner: Refiners. A combination of a refiner and a generator that cannot work together is skipped.
        pool: Candidates per class (``200``), or a multiple of the IPC (``4x``), for each row.
        labels: Labels of these rows, in place of the suite's.
        protocol: Protocol of these rows, in place of the suite's.
    """

    generator: list[GeneratorName] = Field(min_length=1)
    selector: list[Annotated[PooledSelector, BeforeValidator(_pooled)]] = Field(min_length=1)
    refiner: list[Use] = Field([ComponentUse(use="none")], min_length=1)
    pool: Pool | None = None
    labels: LabelsUse | None = None
    protocol: ProtocolUse | None = None


class Exclude(_Model):
    """Cells to exclude: those that match every given key. Each key takes one value or a list.

    Attributes:
        method: Names of rows. The name of a row excludes its twins too.
        generator: Names of generators or of variants.
        selector: Names of selectors.
        refiner: Names of refiners.
        student: Names of students.
        ipc: Images per class.
    """

    method: Names | None = None
    generator: Names | None = None
    selector: Names | None = None
    refiner: Names | None = None
    student: Names | None = None
    ipc: Annotated[list[int], BeforeValidator(_listed)] | None = None


class SuiteModel(_Model, EvaluationSettings):
    """A suite file. The evaluation settings are top-level keys too.

    Attributes:
        suite: The suite's name: lower-case letters, digits, dots, hyphens and underscores.
        dataset: The data set. Students are measured on its validation images.
        protocol: The training protocol of students: ``NAME@VERSION``, the path of a protocol file relative to this
            file, or a mapping such as ``{extends: NAME@VERSION, epochs: 60}``. The mapping may have a ``name``.
        labels: The labels of distilled images.
        ipc: Images per class of a distilled set.
        students: The networks that are trained on each distilled set.
        evaluator: The evaluator. ``student`` trains a student from scratch.
        published: A CSV file of published numbers: its path relative to this file, or the name of a shipped file.
        time_limit: The longest time of one node, in seconds, or such as ``90s``, ``30m`` and ``2h``. A node that takes
            longer is stopped and counts as failed. It enters no key.
        seeds: The seeds of generation, selection and training.
        generators: Named variants of generators. Methods use these names.
        scorers: Scorers by role. The fields of the role ``teacher`` are ``teacher.logits``, ``teacher.embedding``.
        methods: The named rows of the table.
        matrix: Further rows, as a product of components.
        twins: Changes of protocols by name. For each name a row gets a twin, called ``ROW, NAME``. It is the same row,
            but its protocol has these changes.
        scores: The rows against which scores in addition to accuracy are computed.
        set_scores: Assess the images of each distilled set. No training waits for it.
        exclude: Cells to exclude.
        splits: Rows that each add one part to the row before, such as labels. The leaderboard tells what each adds.
    """

    suite: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=NAME_CHARACTERS)
    dataset: Use
    protocol: ProtocolUse
    labels: LabelsUse = Labels(use="hard")
    ipc: IpcList
    students: list[Use] = Field(min_length=1)
    evaluator: Use = ComponentUse(use="student")
    published: str | None = None
    time_limit: Annotated[float | None, BeforeValidator(_seconds)] = None
    seeds: Seeds = Seeds()
    generators: dict[Name, Use] = {}
    scorers: dict[Role, Use] = {}
    methods: dict[Name, Method] = {}
    matrix: Matrix | None = None
    twins: dict[Name, Changes] = {}
    scores: Scores | None = None
    set_scores: SetScores | None = None
    exclude: list[Exclude] = []
    splits: dict[Name, Annotated[list[Name], Field(min_length=2)]] = {}

    @property
    def evaluation(self) -> EvaluationSettings:
        """The evaluation settings."""
        return EvaluationSettings(**{name: getattr(self, name) for name in EvaluationSettings.model_fields})
