"""Selective subgroup sampling (S³)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

import ddbench
from ddbench import ComponentError, Context, Pool, Selection, Selector, component

if TYPE_CHECKING:
    from torch import Tensor

    from ._subgroups import Found, Objective

# The defaults of each profile.
_PROFILES: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "released": {"eps": 0.0},
    "paper": {"norm": "mean", "init": "random"},
}


@component("selector", "s3", version=1, paper="arXiv:2603.13960")
class S3(Selector):
    """S³: one subgroup of IPC candidates per class, near the class's real images and far from other classes' subgroups.

    Features are scaled to unit length. A centroid is their mean, again at unit length, and d = 1 − cos. With r_i the
    centroid of the real images of class i and c_{i,g} that of its subgroup g, the chosen subgroups g_i minimise

        alpha Σ_i log(d(c_{i,g_i}, r_i) + eps) − w Σ_{i<j} log(d(c_{i,g_i}, c_{j,g_j}) + eps).

    With ``norm: sum``, w is beta, as in the authors' code; separation then gains weight with every class. With ``norm:
    mean``, w is 2 beta / (C − 1), our reading of Eq. 10. ``sep: all`` separates from the mean over all subgroups of the
    other class, another reading of Eq. 10. Each class in turn moves to its best subgroup until a sweep moves none. The
    first subgroup wins a tie. The choice is in pool order.

    A subgroup is a set of IPC images that were drawn together. ``grouping`` forms subgroups in one of three ways:

    - ``partition``: complete blocks of a seeded permutation of the class, at most ``subgroups``. For independent
    samples
      this is equivalent to drawing them together.
    - ``given``: the first ``subgroups`` consecutive blocks of the class in pool order. A generator's samples are
      independent, so each block is one draw. The class size must be a multiple of IPC.
    - ``resample``: ``subgroups`` random subsets, which may overlap.

    Profiles set defaults, which other parameters override. ``default`` is the published parser. ``released`` is the
    published script (eps 0). ``paper`` normalises and starts at random, as the paper's algorithm does. Our additions
    are ``partition``, ``resample``, restarts, the pool's own centroid as a fallback (``real: false``), and the finite
    logarithm of coincident centroids for eps 0.
    """

    default_pool = "5x"
    shown = ("profile",)

    class Params(ddbench.Params):
        renamed: ClassVar[Mapping[str, str]] = {"field": "write `teacher: ROLE` instead; its field `embedding` is read"}

        teacher: str = Field("teacher", description="role of the scorer whose embeddings are the features")
        profile: Literal["default", "released", "paper"] = Field(
            "default", description="sets the defaults of the parameters below"
        )
        alpha: float = Field(0.4, ge=0, description="weight of closeness to the real images")
        beta: float = Field(0.9, ge=0, description="weight of separation from the other classes")
        norm: Literal["sum", "mean"] = Field(
            "sum", description="separation is a sum over pairs, or a mean over classes"
        )
        sep: Literal["selected", "all"] = Field(
            "selected", description="the subgroups of other classes to separate from"
        )
        grouping: Literal["partition", "resample", "given"] = Field(
            "partition", description="how candidates form subgroups"
        )
        subgroups: int = Field(5, ge=1, le=20, description="subgroups per class; more than 20 over-fit the centroids")
        eps: float = Field(1e-6, ge=0, description="added to distances; only the profile 'released' allows 0")
        real: bool = Field(True, description="whether targets are centroids of real images or of the class's pool")
        real_max: int = Field(200, ge=1, description="real images per class; if there are more, they are drawn")
        init: Literal["nearest", "random"] = Field("nearest", description="the first subgroups of the search")
        max_sweeps: int = Field(5, ge=1, description="maximal number of sweeps over the classes")
        restarts: int = Field(0, ge=0, description="additional searches from random subgroups; the best one is used")

        def keyed_in_format_1(self) -> dict[str, Any]:
            """Return the parameters with the name of the field in place of ``teacher``."""
            others = {name: value for name, value in self.keyed().items() if name != "teacher"}
            return {**others, "field": f"{self.teacher}.embedding"}

        @model_validator(mode="before")
        @classmethod
        def _profile_defaults(cls, values: dict[str, Any]) -> dict[str, Any]:
            return {**_PROFILES.get(str(values.get("profile")), {}), **values}

        @model_validator(mode="after")
        def _eps_above_zero(self) -> S3.Params:
            if self.eps == 0 and self.profile != "released":
                raise ValueError("parameter 'eps' is 0, which only the profile 'released' has")
            return self

    params: Params

    @property
    def seeded(self) -> bool:
        """Return whether subgroups, real images or starts are drawn."""
        p = self.params
        return p.grouping != "given" or p.real or p.init == "random" or p.restarts > 0

    @property
    def _field(self) -> str:
        return f"{self.params.teacher}.embedding"

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the field of features."""
        return (self._field,)

    @property
    def needs_real(self) -> tuple[str, ...]:
        """Return the same field of the real images if ``real`` is true."""
        return (self._field,) if self.params.real else ()

    def choose(self, pool: Pool, ipc: int, ctx: Context) -> Selection:
        """Return the images of the chosen subgroups. Raise ComponentError for features without a direction."""
        owns = [pool.of_class(c) for c in range(len(pool.class_names))]
        groups = [self._subgroups(own, ipc, ctx) for own in owns]
        objective = self._objective(owns, groups, ctx)
        found = self._search(objective, ctx)
        rows = [sorted(own[g]) for own, g in zip(groups, found.chosen, strict=True)]
        chosen = tuple(tuple(place[i] for i in own) for place, own in zip(pool.by_class, rows, strict=True))
        return Selection(chosen, info=self._info(objective, found))

    def _subgroups(self, own: Pool, ipc: int, ctx: Context) -> list[list[int]]:
        """Return the subgroups of a one-class pool. Random draws use the sorted sample ids."""
        class_index, size, wanted = int(own.labels[0]), len(own), self.params.subgroups
        rows = list(range(size))
        if self.params.grouping == "given" and size % ipc:
            raise ComponentError(
                f"{self.label()} cannot divide the {size} candidates of class '{own.class_names[class_index]}' into "
                f"draws of {ipc}",
                hint="make the pool a multiple of the IPC, or set grouping: partition",
            )
        if self.params.grouping != "given":
            rows.sort(key=own.sample_ids.__getitem__)
        if self.params.grouping == "resample":
            draws = [ctx.rng("s3", "resample", class_index, g).permutation(size)[:ipc] for g in range(wanted)]
            return [[rows[i] for i in draw] for draw in draws]
        if self.params.grouping == "partition":
            rows = [rows[i] for i in ctx.rng("s3", "partition", class_index).permutation(size)]
        return [rows[g * ipc : (g + 1) * ipc] for g in range(min(wanted, size // ipc))]

    def _objective(self, owns: Sequence[Pool], groups: Sequence[list[list[int]]], ctx: Context) -> Objective:
        """Return the objective with the centroid of every subgroup and its closeness to the class's target."""
        from ._subgroups import Objective, centroids, log_distances, unit_features

        candidates, closeness = [], []
        for class_index, (own, rows) in enumerate(zip(owns, groups, strict=True)):
            name = own.class_names[class_index]
            units = unit_features(own, self._field, "the pool")
            candidates.append(centroids([units[group] for group in rows], name))
            mean_of = self._real_units(own.real, name, class_index, ctx) if self.params.real else units
            target = centroids([mean_of], name)
            closeness.append(log_distances(candidates[-1], target, self.params.eps)[:, 0])
        others = len(owns) - 1
        weight = self.params.beta * (1.0 if self.params.norm == "sum" else 2 / max(others, 1))
        return Objective(candidates, closeness, self.params.alpha, weight, self.params.eps, self.params.sep)

    def _real_units(self, real: Pool | None, name: str, class_index: int, ctx: Context) -> Tensor:
        """Return the features of at most ``real_max`` real images, drawn from the sorted sample ids."""
        from ._subgroups import unit_features

        if real is None or not real.by_class[class_index]:
            raise ComponentError(
                f"{self.label()} has no real images of class '{name}'",
                hint="give the pool its real images, or set real: false",
            )
        positions = sorted(real.by_class[class_index], key=real.sample_ids.__getitem__)
        if len(positions) > self.params.real_max:
            drawn = ctx.rng("s3", "real", class_index).permutation(len(positions))[: self.params.real_max]
            positions = [positions[i] for i in sorted(drawn.tolist())]
        return unit_features(real.subset(positions), self._field, "the real images")

    def _search(self, objective: Objective, ctx: Context) -> Found:
        """Return the best search over all starts; the earliest wins a tie."""
        from ._subgroups import TIE, descend

        sizes = [len(own) for own in objective.candidates]
        randoms = self.params.restarts + (self.params.init == "random")
        starts = [] if self.params.init == "random" else [objective.nearest()]
        starts += [ctx.rng("s3", "start", r).integers(sizes).tolist() for r in range(randoms)]
        best, *rest = (descend(objective, start, self.params.max_sweeps) for start in starts)
        for found in rest:
            if best.losses[-1] - found.losses[-1] > TIE:
                best = found
        return best

    def _info(self, objective: Objective, found: Found) -> dict[str, Any]:
        near, far = objective.terms(found.chosen)
        return {
            "profile": self.params.profile,
            "real_centroids": self.params.real,
            "subgroup": list(found.chosen),
            "loss": found.losses[-1],
            "closeness": near,
            "separation": far,
            "log_distance_to_target": [row.tolist() for row in objective.closeness],
            "loss_by_sweep": list(found.losses),
            "sweeps": len(found.losses) - 1,
        }
