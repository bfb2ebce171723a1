"""Find the distilled sets of a finished row, and read them."""

from __future__ import annotations

from dataclasses import dataclass

from ddbench.api import DistilledSet, SoftLabels
from ddbench.errors import DdbenchError, StoreError, did_you_mean
from ddbench.plan import State
from ddbench.store import Artifact
from ddbench.suite import Cell, ResolvedSuite
from ddbench.text import counted


@dataclass(frozen=True)
class ChosenSet:
    """A distilled set of a row.

    Attributes:
        cell: the first cell whose student is trained on it.
        distilled: the recipe key of its images.
        soft: the recipe key of its soft labels; None if students learn from hard labels.
    """

    cell: Cell
    distilled: str
    soft: str | None

    @property
    def seeds(self) -> dict[str, int]:
        """The seeds that decide the set."""
        return {axis: self.cell.seeds[axis] for axis in ("generation", "selection")}

    @property
    def name(self) -> str:
        """The name of its folder among the other sets of the row."""
        return "-".join(f"{axis}-{seed}" for axis, seed in self.seeds.items())


def choose_sets(suite: ResolvedSuite, state: State, method: str, ipc: int | None) -> list[ChosenSet]:
    """Return the different distilled sets of a row, in the order of the suite's seeds.

    Args:
        suite: the suite.
        state: the state of its plan.
        method: the name of the row.
        ipc: images per class; None if the row has only one value.

    Raises:
        DdbenchError: there is no such row or IPC, or a result of the row is missing.
    """
    rows = dict.fromkeys(cell.row.name for cell in suite.cells)
    if method not in rows:
        raise DdbenchError(f"suite '{suite.name}' has no method '{method}'", hint=did_you_mean(method, rows))
    known = sorted({cell.ipc for cell in suite.cells if cell.row.name == method})
    listed = ", ".join(map(str, known))
    if ipc is None and len(known) > 1:
        raise DdbenchError(f"'{method}' has sets of several sizes", hint=f"choose one with --ipc: {listed}")
    ipc = known[0] if ipc is None else ipc
    if ipc not in known:
        raise DdbenchError(f"'{method}' has no set at IPC {ipc}", hint=f"choose one with --ipc: {listed}")
    cells = [(cell, key) for cell, key in state.graph.cells if cell.row.name == method and cell.ipc == ipc]
    if cells[0][0].row.labels.use == "shuffled":
        hint = "export the same set with hard labels"
        raise DdbenchError(f"'{method}' is a control: its students learn shuffled labels", hint=hint)
    done = sum(key in state.measured for _, key in cells)
    if done < len(cells):
        message = f"'{method}' at IPC {ipc} has {done} of {counted(len(cells), 'result')}"
        raise DdbenchError(message, hint=f"finish it first: `ddbench run {suite.file}`")
    return planned_sets(state, method, ipc)


def planned_sets(state: State, method: str, ipc: int) -> list[ChosenSet]:
    """Return the different distilled sets of a row at an IPC, made or not, in the order of the suite's seeds."""
    found: dict[tuple[str, str | None], ChosenSet] = {}
    for cell, key in state.graph.cells:
        if (cell.row.name, cell.ipc) == (method, ipc):
            inputs = state.graph.nodes[key].inputs
            assert inputs.distilled is not None
            place = (inputs.distilled, inputs.soft)
            found.setdefault(place, ChosenSet(cell, *place))
    return list(found.values())


def read_set(state: State, chosen: ChosenSet) -> DistilledSet:
    """Read a distilled set from the store.

    Raises:
        StoreError: it is not made yet, or its files were removed or are damaged.
    """
    artifact = open_output(state, chosen.distilled)
    soft = None
    if chosen.soft is not None:
        soft = SoftLabels(open_output(state, chosen.soft).tensor("logits"), chosen.cell.row.labels.tau)
    labels = artifact.tensor("labels")
    return DistilledSet(
        artifact.tensor("images"),
        labels,
        tuple(artifact.content()["ids"]),
        artifact.tensor("latents") if "latents" in artifact.tensor_names else None,
        soft,
        ipc=chosen.cell.ipc if chosen.cell.sized else len(labels) // len(set(labels.tolist())),
    )


def teacher_of(suite: ResolvedSuite, chosen: ChosenSet) -> str | None:
    """Return role and name of the scorer that gives a set its soft labels, or the teacher that an import names.

    None if the set has no soft labels, or if their teacher is not known.
    """
    labels = chosen.cell.row.labels
    if chosen.soft is None:
        return None
    if labels.use == "stored":
        return chosen.cell.row.generator.component.soft_labels_of
    return f"{labels.teacher}: {suite.scorers[labels.teacher].label}"


def open_output(state: State, key: str) -> Artifact:
    """Open the output of a node. Raise StoreError if it is not made yet, or if its files were removed."""
    if key not in state.manifests:
        raise StoreError("not made yet", hint="run the suite")
    if not state.has_payload(key):
        hint = "make them again in an empty store: `ddbench run SUITE --store DIR`"
        raise StoreError("the files of the set were removed", where=str(state.store.root), hint=hint)
    return state.store.artifact(state.action_keys[key])
