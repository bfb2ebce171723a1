"""Conformance checks of scorers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddbench.api import Context, Scorer
from ddbench.api.work import Score
from ddbench.testing.checks import Case, check, untouched
from ddbench.testing.costs import compare_cost
from ddbench.testing.fitting import fit
from ddbench.testing.specimens import Specimen

if TYPE_CHECKING:
    from torch import Tensor

_RUNS = ("parameters", "fit", "fields")
_PER_CLASS = (*_RUNS, "class fields")


def _loaded(case: Case[Scorer]) -> Scorer:
    data = Specimen().training()
    fitted = case.once("fitted", lambda: fit(case, data, case.scratch))
    scorer = case.make()
    scorer.load(fitted, data, Context())
    return scorer


def _fields(case: Case[Scorer]) -> dict[str, Tensor]:
    return case.once("fields", lambda: _loaded(case).score(Specimen().train().images, Context()))


def _class_fields(case: Case[Scorer]) -> dict[str, Tensor]:
    return _loaded(case).class_fields(Specimen().training(), Context())


@check("scorer", "fit", fix="draw from the context only, and write safetensors and JSON files", after=("parameters",))
def _fit(case: Case[Scorer]) -> None:
    """Check that the fit writes the same each time, and can be loaded."""
    _loaded(case)


@check("scorer", "fields", fix="return a float32 row for each image of the block", after=("parameters", "fit"))
def _rows(case: Case[Scorer]) -> None:
    """Check that each declared field has one float32 row for each image."""
    import torch

    case.require(bool(case.cls.provides), "provides no field")
    images = Specimen().train().images
    for name, rows in _fields(case).items():
        case.require(rows.dtype == torch.float32, f"writes the field '{name}' as {rows.dtype}, not float32")
        case.require(len(rows) == len(images), f"writes {len(rows)} rows of '{name}' for {len(images)} images")
    logits = _fields(case).get("logits")
    flat = logits is None or logits.ndim == 2
    case.require(flat, f"writes 'logits' of shape {None if logits is None else tuple(logits.shape)}, not [N, C]")


@check("scorer", "finite fields", fix="guard divisions and logarithms", after=_RUNS)
def _finite(case: Case[Scorer]) -> None:
    """Check that no field has NaN or infinite values, also for two equal and for black images."""
    import torch

    images = Specimen().train().images
    for given in (_fields(case), _loaded(case).score(torch.cat([images[:1], images[:1], 0 * images[:2]]), Context())):
        for name, rows in given.items():
            finite = bool(torch.isfinite(rows).all())
            case.require(finite, f"writes the field '{name}' with NaN or infinite values")


@check("scorer", "global random state", fix="draw nothing, or from `ctx.rng`", after=_RUNS)
def _global(case: Case[Scorer]) -> None:
    """Check that the global random generators of Python, NumPy and torch are not used."""
    scorer = _loaded(case)
    with untouched(scorer):
        scorer.score(Specimen().train().images[:2], Context())


@check(
    "scorer",
    "images apart",
    fix="set the network to eval(), and use no mean over the batch",
    after=(*_RUNS, "finite fields"),
)
def _apart(case: Case[Scorer]) -> None:
    """Check that the row of an image does not depend on the other images, and differs between images."""
    images, again = Specimen().train().images, _loaded(case)
    alone = [again.score(image[None], Context()) for image in images[:3]]
    for name, rows in _fields(case).items():
        same = all(row[name].equal(rows[i : i + 1]) for i, row in enumerate(alone))
        case.require(same, f"writes a different '{name}' for an image scored alone")
        case.require(not rows[0].equal(rows[1]), f"writes the same '{name}' for different images")


@check("scorer", "class fields", fix="return each field of `provides_per_class` from `class_fields`", after=_RUNS)
def _classes(case: Case[Scorer]) -> None:
    """Check that each declared class field has one row for each class."""
    per_class, count = _class_fields(case), len(Specimen().classes)
    for name in case.cls.provides_per_class:
        case.require(name in per_class, f"does not write the class field '{name}' that it declares")
        case.require(len(per_class[name]) == count, f"has {len(per_class[name])} rows of '{name}' for {count} classes")


@check("scorer", "teacher", fix="compute `class_logits` from float images with the same network", after=_PER_CLASS)
def _teacher(case: Case[Scorer]) -> None:
    """Check that a teacher's logits for float images agree with its scores and have gradients."""
    import torch

    if not case.cls.teaches:
        case.skip("does not teach")
    scored = _fields(case)["logits"][:, _class_fields(case)["column"]]
    images = (Specimen().train().images.float() / 255).requires_grad_()
    logits = _loaded(case).class_logits(images)
    case.require(tuple(logits.shape) == tuple(scored.shape), f"has class_logits of {tuple(logits.shape)}")
    agreement = torch.corrcoef(torch.stack([logits.detach().flatten(), scored.flatten()]))[0, 1]
    case.require(bool(agreement > 0.9), f"has class_logits that correlate with its scores by only {agreement:.2f}")
    (gradient,) = torch.autograd.grad(logits.sum(), images, allow_unused=True)
    case.require(gradient is not None and bool(gradient.any()), "has class_logits without gradients")


@check("scorer", "cost", fix="mend `cost`, or return None from it", after=_RUNS)
def _cost(case: Case[Scorer]) -> None:
    """Check that the declared operations of one image are within a factor of 3 of what is counted."""
    scorer = _loaded(case)
    images = Specimen().train().images[:1].expand(scorer.block, -1, -1, -1)
    compare_cost(case, scorer.cost(Score(Specimen())), lambda: scorer.score_block(images, Context()), scorer.block)
