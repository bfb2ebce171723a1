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
    """The candidate images of a selector, with their scores. Immutable, on the CPU.

    Attributes:
        labels: the class of each sample, ``[N]`` int64.
        class_names: the data set's classes; ``labels`` index them.
        sample_ids: ``N`` names, unique in the pool and stable between runs.
        fields: values per sample, by ``ROLE.name``: ``teacher.logits [N, L]``, ``teacher.embedding [N, D]``, …
        class_fields: values per class, by ``ROLE.name``: ``teacher.column [C]``, ``clip.text [C, D]``, …
        latents: the latents that the generator decoded, ``[N, …]``; None if it keeps none.
        real: a pool of the real training images; None unless the selector's ``needs_real`` asks for fields of them.
        image_source: the images ``[N, 3, H, W]``, uint8 or float32 as in ``Samples``, or a function that reads them;
            None in a pool without images.
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
        """The images, ``[N, 3, H, W]``, read at first use. Raise ComponentError for a pool without images."""
        if self.image_source is None:
            raise ComponentError("the pool has no images", hint="build it with images=…")
        return self.image_source() if callable(self.image_source) else self.image_source

    @cached_property
    def by_class(self) -> tuple[tuple[int, ...], ...]:
        """The positions of each class's samples, in pool order."""
        positions: list[list[int]] = [[] for _ in self.class_names]
        for position, label in enumerate(self.labels.tolist()):
            positions[label].append(position)
        return tuple(map(tuple, positions))

    def field(self, name: str) -> Tensor:
        """Return the field ``name``. Raise ComponentError, with the nearest name, if the pool has no such field."""
        try:
            return self.fields[name]
        except KeyError:
            raise ComponentError(f"the pool has no field '{name}'", hint=did_you_mean(name, self.fields)) from None

    def class_field(self, name: str) -> Tensor:
        """Return the class field ``name``. Raise ComponentError, with the nearest name, if there is no such field."""
        try:
            return self.class_fields[name]
        except KeyError:
            hint = did_you_mean(name, self.class_fields)
            raise ComponentError(f"the pool has no class field '{name}'", hint=hint) from None

    def subset(self, positions: Sequence[int]) -> Pool:
        """Return the pool of the samples at ``positions``, in that order; class fields and ``real`` are kept."""
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
        """Return the pool of one class's samples, in pool order; the pool itself if it holds no other class."""
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
        """Build a pool from torch tensors or numpy arrays. The arguments are the attributes of a pool.

        Raises:
            ComponentError: lengths differ, a label is out of range, or a sample id occurs twice.
        """
        import torch

        label_tensor = torch.as_tensor(labels, dtype=torch.long)
        count = len(label_tensor)
        if count and not 0 <= int(label_tensor.min()) <= int(label_tensor.max()) < len(class_names):
            raise ComponentError(f"labels must lie in 0…{len(class_names) - 1} for {len(class_names)} class names")
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
    """The samples that a selector chose.

    Attributes:
        per_class: positions in the pool, one tuple for each class, in the selector's documented order.
        scores: one number for each chosen sample, one tuple for each class; None if the selector has none.
        info: further JSON values to store with the selection.
    """

    per_class: tuple[tuple[int, ...], ...]
    scores: tuple[tuple[float, ...], ...] | None = None
    info: Mapping[str, Any] = field(default_factory=dict)

    @property
    def indices(self) -> tuple[int, ...]:
        """All chosen positions, one class after another."""
        return tuple(i for chosen in self.per_class for i in chosen)

    def by_class(self) -> dict[int, tuple[int, ...]]:
        """Return the chosen positions by class index."""
        return dict(enumerate(self.per_class))


@dataclass(frozen=True, eq=False)
class SoftLabels:
    """A teacher's logits for each image of a distilled set.

    Attributes:
        logits: ``[N, C]`` float32, one column for each class of the data set, in its order, before softening.
        tau: the temperature. Logits are divided by it before the softmax.
    """

    logits: Tensor
    tau: float

    @property
    def probabilities(self) -> Tensor:
        """The softened probabilities, ``[N, C]``; each row sums to 1."""
        return (self.logits / self.tau).softmax(dim=1)


@dataclass(frozen=True, eq=False)
class DistilledSet:
    """A distilled training set.

    Attributes:
        images: ``[N, 3, H, W]``, uint8 or float32 as in ``Samples``.
        labels: ``[N]`` int64.
        sample_ids: the origin of each image.
        latents: the latents of the images, ``[N, …]``; None if the generator keeps none.
        soft: soft labels; None unless the suite asks for them.
        ipc: images per class.
    """

    images: Tensor
    labels: Tensor
    sample_ids: tuple[str, ...]
    latents: Tensor | None = None
    soft: SoftLabels | None = None
    ipc: int = field(kw_only=True)

    def __len__(self) -> int:
        return len(self.sample_ids)
