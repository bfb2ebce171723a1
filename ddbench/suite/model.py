"""The structure of a suite file. ``resolve`` looks up the names in it."""

from __future__ import annotations

from itertools import product
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from ddbench.api.settings import EvaluationSettings
from ddbench.limits import NAME_CHARACTERS
from ddbench.suite.fields import (
    STRICT,
    ComponentUse,
    GeneratorName,
    IpcList,
    IpcNames,
    Name,
    Names,
    Pool,
    Role,
    Seconds,
    SeedList,
    Use,
)
from ddbench.suite.protocols import Changes, ProtocolUse
from ddbench.suite.references import Scores, SetScores

# Differences below it count as none, in percent points, if a suite does not say otherwise.
MARGIN = 1.0
SUITE_NAME = r"^[a-z0-9][a-z0-9._-]*$"


class _Model(BaseModel):
    model_config = STRICT


def _selection(value: Any) -> Any:
    if value is None or (isinstance(value, str) and value != "generation"):
        raise ValueError("give a list of seeds, or `generation` to select each set with its generation seed")
    return None if value == "generation" else value


def _or_generation(schema: dict[str, Any]) -> None:
    """Replace null in the schema by the word that stands for it."""
    schema["anyOf"][1] = {"const": "generation"}


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
    selection: Annotated[SeedList | None, BeforeValidator(_selection)] = Field([0], json_schema_extra=_or_generation)
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
    ipc: IpcNames | None = None


class SuiteModel(_Model, EvaluationSettings):
    """A suite file. The evaluation settings are top-level keys too.

    Attributes:
        suite: The suite's name: lower-case letters, digits, dots, hyphens and underscores.
        dataset: The data set. Students are measured on its validation images.
        components: Python files with components that no installed package has, such as ``[./my_selector.py]``. They are
            in the folder of this file, or below it. Their code runs when the suite is planned.
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
        baseline: The row that every other row is compared with. It enters no key.
        margin: Differences of accuracy below it count as none, in points. It enters no key.
    """

    suite: str = Field(pattern=SUITE_NAME, max_length=NAME_CHARACTERS)
    components: list[str] = []
    dataset: Use
    protocol: ProtocolUse
    labels: LabelsUse = Labels(use="hard")
    ipc: IpcList
    students: list[Use] = Field(min_length=1)
    evaluator: Use = ComponentUse(use="student")
    published: str | None = None
    time_limit: Seconds = None
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
    baseline: Name | None = None
    margin: float = Field(MARGIN, gt=0, lt=100)

    @property
    def evaluation(self) -> EvaluationSettings:
        """The evaluation settings."""
        return EvaluationSettings(**{name: getattr(self, name) for name in EvaluationSettings.model_fields})
