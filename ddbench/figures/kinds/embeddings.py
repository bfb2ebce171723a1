"""Map of pool and choice (semantic-aware sampling, Fig. 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ddbench.figures.source import NothingToDrawError
from ddbench.figures.style import CHOSEN, CLASS_COLOURS, GREY, panels, short, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from torch import Tensor

    from ddbench.api import Pool
    from ddbench.figures.source import Source
    from ddbench.sets.selections import StoredSelection

    Map: TypeAlias = dict[int, tuple[float, float]]

POINTS: Final = 2000  # of a map, before those that were chosen are added
_LEAST: Final = 4
_NEIGHBOURS: Final = 30  # the perplexity of t-SNE


def embeddings(source: Source) -> Figure:
    """Draw the pool of each selection by t-SNE of its embeddings, with the choice on top of it."""
    found = [(one, field) for one in source.selections if (field := _field(one.selection.pool)) is not None]
    if not found:
        raise NothingToDrawError(f"no scorer stored the embeddings of a pool of {_LEAST} or more images")
    pools: dict[tuple[Any, ...], list[StoredSelection]] = {}
    for shared, _ in found:
        pools.setdefault(shared.selection.pool_key, []).append(shared.selection)
    maps = {key: place(own, str(_field(own[0].pool))) for key, own in pools.items()}
    figure, axes = panels(len(found), 3, 1.9)
    for one, (shared, _) in zip(axes, found, strict=True):
        _draw(one, shared.selection, maps[shared.selection.pool_key])
        one.set_title(wrapped(shared.title, 30))
    fields = ", ".join(dict.fromkeys(field for _, field in found))
    title = f"t-SNE of {fields}, which has no unit; IPC {source.ipc}; dots: pool; circles: chosen"
    if not _coloured(found[0][0].selection.pool):
        figure.supxlabel(title, fontsize=7)
        return figure
    handles, names = axes[0].get_legend_handles_labels()
    style: dict[str, Any] = {"fontsize": 6, "title_fontsize": 7, "frameon": False, "handletextpad": 0, "ncols": 5}
    figure.legend(handles[1::2], names[1::2], title=title, loc="outside lower center", columnspacing=1, **style)
    return figure


def _field(pool: Pool) -> str | None:
    """Return the first field of embeddings that has a map: of a teacher, or of the image encoder of CLIP."""
    names = (name for name in sorted(pool.fields) if name.endswith((".embedding", ".image")))
    return next((name for name in names if len(pool) >= _LEAST and _varies(pool.field(name))), None)


def _varies(values: Tensor) -> bool:
    return bool((values != values[0]).any())


def place(selections: list[StoredSelection], field: str) -> Map:
    """Return the place of samples of a pool by their position: the first of each class, and all that were chosen.

    Args:
        selections: the selections from one pool.
        field: the field of the embeddings.
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    pool = selections[0].pool
    first = POINTS // len(pool.class_names) or 1
    kept = {position for own in pool.by_class for position in own[:first]}
    kept = kept.union(*(selection.positions for selection in selections))
    positions = sorted(kept)
    rows = pool.field(field)[positions].flatten(1).double().numpy()
    model = TSNE(perplexity=min(_NEIGHBOURS, (len(rows) - 1) / 3), init="pca", random_state=0)
    with threadpool_limits(1):  # the same map for any number of cores
        found = model.fit_transform(rows)
    return dict(zip(positions, map(tuple, found.tolist()), strict=True))


def _draw(axes: Axes, selection: StoredSelection, places: Map) -> None:
    pool = selection.pool
    for label, (own, chosen) in enumerate(zip(pool.by_class, selection.per_class, strict=True)):
        dots, circles = ([places[i] for i in which if i in places] for which in (own, chosen))
        dot, circle = (CLASS_COLOURS[label],) * 2 if _coloured(pool) else (GREY, CHOSEN)
        name = short(pool.class_names[label])
        x, y = zip(*dots, strict=True)
        axes.scatter(x, y, s=3, color=dot, alpha=0.55, linewidths=0, label=f"pool of {name}")
        x, y = zip(*circles, strict=True)
        axes.scatter(x, y, s=11, facecolor=circle, edgecolor="black", linewidths=0.5, zorder=3, label=name)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def _coloured(pool: Pool) -> bool:
    """Return True if there are few enough classes for a colour each."""
    return len(pool.class_names) <= len(CLASS_COLOURS)
