"""The values that flow between stages: Pool, Selection, DistilledSet with its SoftLabels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from ddbench.errors import ComponentError, did_you_mean

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    Array: TypeAlias = Tensor | np.ndarray[Any, Any]
    Images: TypeAlias = Tensor | Callable[[], Tensor]


@dataclass(frozen=True, eq=False)
class Pool:
    """Candidate images with everything that is known of them; immutable, on the CPU.

    Attributes:
        labels: ``[N]`` int64, the class of each sample.
        class_names: the data set's classes; ``labels`` index them.
        sample_ids: ``N`` names, unique in the pool and stable between runs.
        fields: per sample, by ``ROLE.name``: ``teacher.logits [N, L]``, ``teacher.embedding [N, D]``, …
        class_fields: per class, by ``ROLE.name``: ``teacher.column [C]``, ``clip.text [C, D]``, …
        latents: ``[N, …]`` what the generator decoded the images from, if it keeps that.
        real: the same for the real training images, where a selector asked for it.
    """

    labels: Tensor
    class_names: tuple[str, ...]
    sample_ids: tuple[str, ...]
    fields: Mapping[str, Tensor] = field(default_factory=dict)
    class_fields: Mapping[str, Tensor] = field(default_factory=dict)
    latents: Tensor | None = None
    real: Pool | None = None
    image_source: Images | None = None

    def __len__(self) -> int:
        return len(self.sample_ids)

    @cached_property
    def images(self) -> Tensor:
        """uint8 ``[N, 3, H, W]``, read when first asked for; raises ComponentError for a pool without images."""
        if self.image_source is None:
            raise ComponentError("this pool carries no images", hint="build it with images=…")
        return self.image_source() if callable(self.image_source) else self.image_source

    @cached_property
    def by_class(self) -> tuple[tuple[int, ...], ...]:
        """For each class the positions of its samples, in pool order."""
        positions: list[list[int]] = [[] for _ in self.class_names]
        for position, label in enumerate(self.labels.tolist()):
            positions[label].append(position)
        return tuple(map(tuple, positions))

    def field(self, name: str) -> Tensor:
        """The field ``name``; raises ComponentError, naming the near ones, where the pool has no such field."""
        try:
            return self.fields[name]
        except KeyError:
            raise ComponentError(f"the pool has no field '{name}'", hint=did_you_mean(name, self.fields)) from None

    def class_field(self, name: str) -> Tensor:
        """The class field ``name``; raises ComponentError, naming the near ones, where the pool has no such field."""
        try:
            return self.class_fields[name]
        except KeyError:
            hint = did_you_mean(name, self.class_fields)
            raise ComponentError(f"the pool has no class field '{name}'", hint=hint) from None

    def subset(self, positions: Sequence[int]) -> Pool:
        """The samples at ``positions``, in that order; class fields and ``real`` stay whole."""
        import torch

        index = torch.as_tensor(positions, dtype=torch.long)
        return Pool(
            labels=self.labels[index],
            class_names=self.class_names,
            sample_ids=tuple(self.sample_ids[i] for i in positions),
            fields={name: values[index] for name, values in self.fields.items()},
            class_fields=self.class_fields,
            latents=None if self.latents is None else self.latents[index],
            real=self.real,
            image_source=None if self.image_source is None else (lambda: self.images[index]),
        )

    def of_class(self, class_index: int) -> Pool:
        """The samples of one class, in pool order; the pool itself where it holds no other."""
        positions = self.by_class[class_index]
        return self if len(positions) == len(self) else self.subset(positions)

    @classmethod
    def from_arrays(
        cls,
        *,
        labels: Array | Sequence[int],
        class_names: Sequence[str],
        sample_ids: Sequence[str] | None = None,
        fields: Mapping[str, Array] | None = None,
        class_fields: Mapping[str, Array] | None = None,
        images: Array | None = None,
        latents: Array | None = None,
        real: Pool | None = None,
    ) -> Pool:
        """A pool from torch tensors or numpy arrays; raises ComponentError where lengths or labels do not fit."""
        import torch

        label_tensor = torch.as_tensor(labels, dtype=torch.long)
        count = len(label_tensor)
        if count and not 0 <= int(label_tensor.min()) <= int(label_tensor.max()) < len(class_names):
            raise ComponentError(f"labels must lie in 0…{len(class_names) - 1}, the number of class names less one")
        per_sample = {name: torch.as_tensor(values) for name, values in (fields or {}).items()}
        extra = {"images": images, "latents": latents}
        per_sample_extra = {name: torch.as_tensor(v) for name, v in extra.items() if v is not None}
        for name, values in {**per_sample, **per_sample_extra}.items():
            if len(values) != count:
                raise ComponentError(f"'{name}' has {len(values)} rows for {count} labels")
        per_class = {name: torch.as_tensor(values) for name, values in (class_fields or {}).items()}
        for name, values in per_class.items():
            if len(values) != len(class_names):
                raise ComponentError(f"class field '{name}' has {len(values)} rows for {len(class_names)} classes")
        ids = tuple(sample_ids) if sample_ids is not None else tuple(f"{i:06d}" for i in range(count))
        if len(set(ids)) != count:
            raise ComponentError(f"{count} samples need {count} different sample ids, not {len(set(ids))}")
        return cls(
            labels=label_tensor,
            class_names=tuple(class_names),
            sample_ids=ids,
            fields=per_sample,
            class_fields=per_class,
            latents=per_sample_extra.get("latents"),
            real=real,
            image_source=per_sample_extra.get("images"),
        )


@dataclass(frozen=True)
class Selection:
    """What a selector chose: for each class, positions in the pool in the selector's documented order.

    Attributes:
        per_class: positions in the pool, one tuple a class.
        scores: per class one number per chosen sample, if the selector has them.
        info: JSON values worth keeping beside the choice.
    """

    per_class: tuple[tuple[int, ...], ...]
    scores: tuple[tuple[float, ...], ...] | None = None
    info: Mapping[str, Any] = field(default_factory=dict)

    @property
    def indices(self) -> tuple[int, ...]:
        """All chosen positions, class after class."""
        return tuple(i for chosen in self.per_class for i in chosen)

    def by_class(self) -> dict[int, tuple[int, ...]]:
        """Class index to the chosen positions."""
        return dict(enumerate(self.per_class))


@dataclass(frozen=True, eq=False)
class SoftLabels:
    """What a teacher said of each image of a distilled set, kept with it.

    Attributes:
        logits: ``[N, C]`` float32, a column for each of the data set's classes in their order, not softened.
        tau: the temperature: logits are divided by it before the softmax.
    """

    logits: Tensor
    tau: float

    @property
    def probabilities(self) -> Tensor:
        """Softened, ``[N, C]``; each row sums to 1."""
        return (self.logits / self.tau).softmax(dim=1)


@dataclass(frozen=True, eq=False)
class DistilledSet:
    """The tiny training set.

    Attributes:
        images: uint8 ``[N, 3, H, W]``.
        labels: ``[N]`` int64.
        sample_ids: where each image came from.
        ipc: images per class.
        latents: ``[N, …]`` where the generator keeps them.
        soft: soft labels, where the suite asks for them.
    """

    images: Tensor
    labels: Tensor
    sample_ids: tuple[str, ...]
    latents: Tensor | None = None
    soft: SoftLabels | None = None
    ipc: int = field(kw_only=True)

    def __len__(self) -> int:
        return len(self.sample_ids)
