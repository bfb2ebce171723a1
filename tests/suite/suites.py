"""Suite texts for tests. What a text leaves out is taken from a small suite of the example plug-in's components."""

from __future__ import annotations

from pathlib import Path

BASE = {
    "suite": "suite: small",
    "dataset": "dataset: dots",
    "protocol": "protocol: minimax-hard@1",
    "evaluator": "evaluator: nearest-mean",
    "ipc": "ipc: [1, 2]",
    "students": "students: [pixels]",
    "scorers": "scorers: {teacher: colour}",
    "methods": "methods: {A: {generator: real, selector: first}}",
}
# In a text, stands right before the place that an error is to point at.
HERE = "§"


def completed(text: str, without: tuple[str, ...] = ()) -> str:
    """``text`` followed by whatever of the base it does not say; a matrix stands in for methods."""
    said = {line.lstrip(HERE).partition(":")[0] for line in text.splitlines() if line[:1] not in (" ", "-", "#", "")}
    if said & {"matrix", "extends"}:
        said.add("methods")
    missing = [line for key, line in BASE.items() if key not in said and key not in without]
    return "\n".join([text.rstrip("\n"), *missing]) + "\n"


def write(folder: Path, text: str, *, without: tuple[str, ...] = (), name: str = "suite.yaml") -> tuple[Path, str]:
    """Write the completed text; return the file, and the place that is marked in it: ``:line:column``, or nothing."""
    full = completed(text, without)
    before, mark, after = full.partition(HERE)
    path = folder / name
    path.write_text(before + after, encoding="utf-8")
    column = len(before) - (before.rfind("\n") + 1) + 1
    return path, f":{before.count(chr(10)) + 1}:{column}" if mark else ""
