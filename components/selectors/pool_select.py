"""The selection stage of Pool-Select-Refine."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from pydantic import Field

import ddbench
from ddbench import Chosen, Context, Pool, Selector, component

if TYPE_CHECKING:
    import numpy as np

    from ._kernels import Rows

    Flags: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]
    Vector: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

PAPER = "Pool-Select-Refine: Allocation-Aware Generative Dataset Distillation with Soft-Label-Guided Latent Refinement"


@component("selector", "pool-select", version=1, paper=PAPER)
class PoolSelect(Selector):
    """Greedy selection by reliability, certainty and diversity among samples that the teacher classifies correctly.

    Samples whose arg-max is another class are rejected. The first choice is the most reliable sample. Each further one
    maximises the score alpha · reliability − beta · entropy + gamma · diversity. Reliability is the probability of the
    class by the teacher's softmax at ``temperature``. Entropy is that of all these probabilities over the logarithm of
    their number. Diversity is the squared distance in the teacher's embedding to the nearest sample chosen so far.

    The default weights (alpha, beta, gamma) are the paper's. They are (3, 1, 0.5) up to IPC 10, (0.5, 1, 3) from IPC
    50, and (1, 1, 1) in between. A weight of 0 removes its term.

    The following details are not in the paper. Min-max normalisation covers all candidates of the class, including
    rejected and chosen ones. It is repeated at each step for the diversity, and a constant term becomes 0. If fewer
    than IPC samples remain, rejected samples follow by reliability. A teacher with more classes than the data set is
    restricted to those of the data set (``columns: classes``). With a single column the entropy is 0. The earlier
    sample wins a tie of values, the first column a tie of logits.

    ``scores`` are the values when a sample was chosen; the first has no diversity yet. ``info`` holds the number of
    samples that passed the filter, the number of rejected samples that were added, and the weights.
    """

    default_pool = "2x"

    class Params(ddbench.Params):
        renamed: ClassVar[Mapping[str, str]] = {"temperature": "write `tau` instead"}

        teacher: str = Field("teacher", description="role of the scorer whose logits and embeddings are read")
        alpha: float | None = Field(None, ge=0, description="weight of the reliability; by default set by the IPC")
        beta: float | None = Field(None, ge=0, description="weight of the entropy; by default set by the IPC")
        gamma: float | None = Field(None, ge=0, description="weight of the diversity; by default set by the IPC")
        tau: float = Field(1.5, gt=0, description="temperature of the softmax")
        normalize: Literal["min-max", "raw"] = Field("min-max", description="normalisation of the three terms")
        columns: Literal["classes", "all"] = Field("classes", description="the teacher's outputs in the softmax")

        def keyed_in_format_1(self) -> dict[str, Any]:
            """Return the parameters with ``temperature`` in place of ``tau``."""
            return {"temperature" if name == "tau" else name: value for name, value in self.keyed().items()}

    params: Params

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the fields of the teacher's logits and embedding."""
        return (f"{self.params.teacher}.logits", f"{self.params.teacher}.embedding")

    @property
    def needs_class(self) -> tuple[str, ...]:
        """Return the class field with each class's column of the logits."""
        return (f"{self.params.teacher}.column",)

    def weights(self, ipc: int) -> tuple[float, float, float]:
        """Return alpha, beta and gamma, by default the preset for ``ipc``."""
        preset = (3.0, 1.0, 0.5) if ipc <= 10 else (1.0, 1.0, 1.0) if ipc < 50 else (0.5, 1.0, 3.0)
        given = (self.params.alpha, self.params.beta, self.params.gamma)
        alpha, beta, gamma = (p if g is None else g for g, p in zip(given, preset, strict=True))
        return alpha, beta, gamma

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Chosen:
        """Return positions in the order of selection. Raise ComponentError for NaN or infinite logits or embeddings."""
        import torch

        from ._features import class_features
        from ._teacher import class_probabilities

        probabilities, own = class_probabilities(pool, self.params.teacher, self.params.columns, self.params.tau)
        entropy = torch.special.entr(probabilities).sum(1) / (math.log(probabilities.shape[1]) or 1)
        alpha, beta, gamma = self.weights(ipc)
        # numpy's argmax guarantees the first of equal values; torch's does not.
        survives, reliability = probabilities.numpy().argmax(1) == own, probabilities[:, own].numpy()
        worth = alpha * self._scaled(reliability) - beta * self._scaled(entropy.numpy())
        embedding = class_features(pool, f"{self.params.teacher}.embedding")
        chosen, scores = self._greedy(embedding, survives, reliability, worth, gamma, ipc)
        survivors = int(survives.sum())
        info = {"survivors": survivors, "filled": max(0, ipc - survivors), "weights": [alpha, beta, gamma]}
        return Chosen(chosen, scores, info)

    def _greedy(
        self, embedding: Rows, survives: Flags, reliability: Vector, worth: Vector, gamma: float, ipc: int
    ) -> tuple[list[int], list[float]]:
        """Return the chosen positions and their scores; ``worth`` is the constant part of the score."""
        import numpy as np

        from ._kernels import squared_distances

        survivors, composite, distance = survives.sum(), worth, np.full(len(worth), np.inf)
        closed = ~survives
        chosen: list[int] = []
        scores: list[float] = []
        for step in range(ipc):
            if step == survivors:
                closed[~survives] = False
            by_composite = 0 < step < survivors
            chosen.append(int(np.where(closed, -np.inf, composite if by_composite else reliability).argmax()))
            scores.append(float(composite[chosen[-1]]))
            closed[chosen[-1]] = True
            center = embedding[chosen[-1]].astype(np.float64)
            distance = np.minimum(distance, squared_distances(embedding, center))
            composite = worth + gamma * self._scaled(distance)
        return chosen, scores

    def _scaled(self, values: Vector) -> Vector:
        """Return a term of the score, normalised unless ``normalize`` is ``raw``."""
        if self.params.normalize == "raw":
            return values
        low, span = values.min(), values.max() - values.min()
        scaled: Vector = (values - low) / (span if span > 0 else 1)
        return scaled
