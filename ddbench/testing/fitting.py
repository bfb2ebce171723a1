"""Fit a component as a run does, and check that the fit is reproducible."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ddbench.api import Context, Fittable, TrainingData, tensor_digest
from ddbench.testing.checks import Case


def fit(case: Case[Any], data: TrainingData, scratch: Path, seed: int = 0) -> Path | None:
    """Fit the component to ``data`` and return the folder; None if it has no fit.

    The second of two fits uses ``for_fit()``, as a run does, and must be equal.
    """
    own, shared = case.make(), case.make().for_fit()
    case.require(shared.for_fit().params == shared.params, "has a for_fit() whose for_fit() differs from it")
    folders = [scratch / "fitted", scratch / "fitted-again"]
    for component, folder in zip((own, shared), folders, strict=True):
        if not isinstance(component, Fittable):
            return None
        folder.mkdir(parents=True)
        component.fit(data, folder, Context(seed=seed, scratch=scratch))
    first, second = (_content(case, folder) for folder in folders)
    case.require(bool(first), "has a fit that writes nothing")
    again = "the second time" if shared.params == own.params else "with its for_fit()"
    case.require(first == second, f"has a fit that writes different content {again}")
    return folders[0]


def _content(case: Case[Any], folder: Path) -> dict[str, Any]:
    """Return the content of the files by name."""
    from safetensors.torch import load_file

    content: dict[str, Any] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        case.require(path.suffix in (".safetensors", ".json"), f"has a fit that writes '{path.name}'")
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".json":
            content[name] = json.loads(path.read_text(encoding="utf-8"))
        else:
            content[name] = {key: tensor_digest(tensor) for key, tensor in load_file(path).items()}
    return content
