"""The parts of a leaderboard's page with scores in addition to accuracy."""

from __future__ import annotations

from ddbench.report.headline import NOTHING
from ddbench.report.leaderboard import Leaderboard
from ddbench.report.section import Section, section
from ddbench.stats.scores import Estimate
from ddbench.stats.summary import Summary
from ddbench.text import code, markdown

# Near-duplicates that are listed, at most.
_NEAR_SHOWN = 20
_SCORES = (
    "The ideas are those of DD-Ranking (arXiv:2505.13300), on our numbers. *Over random* (IOR) is the accuracy minus "
    "that of random images under the same protocol, in points. *Below full* is the accuracy on the full data minus the "
    "accuracy. With hard labels it is DD-Ranking's HLR. *Recovered* is the share of the way from random to full. "
    "*Augmentation* (ARS) is 100 (exp(b) − exp(−1)) / (exp(1) − exp(−1)), and b is the mean of the improvements over "
    "random with and without augmentation, as fractions. Random images have 26.9. Brackets are 95 % intervals over "
    "sets, or over trainings if there is only one set. A score is empty while a training is missing. It is "
    "empty too if `scores` names no row that it needs. A row of random images must have the method's protocol."
)
# What each column of scores needs.
_ABSENT = {
    "over random": "needs a finished row of random images with the method's protocol",
    "below full": "needs `full` in `scores`, and that row finished",
    "recovered, %": "needs finished rows of random images and of the full data",
    "augmentation": "needs `twin` in `scores`, and finished twins of the method and of random images",
}
_SETS = (
    "Scores of the sets themselves, in the embeddings of the scorer that `set_scores` names. *Images* are bytes of "
    "pixels as stored, without compression. *Soft labels* are float32 numbers: one for each image and class, or for "
    "each image, class and epoch if a teacher labels batches. Hard labels count nothing. *Coverage* is the share of "
    "the training images of a class with an image of the set in their neighbourhood (arXiv:2002.09797). "
    "Neighbourhoods are so large that as many independent real images cover half. *Diversity* is the Vendi score of a "
    "class (arXiv:2210.02410): the effective number of different images. Both are means over the classes, then over "
    "the sets. An image is *near* a real image if that is less than half as far as the 50 nearest are on "
    "average (arXiv:2301.13188). Distances are those of embeddings, or of pixels at 16 × 16, mirrored or not."
)


def scores(board: Leaderboard) -> Section:
    """Return the table of scores in addition to accuracy. Columns without a value are left out."""
    columns: dict[str, list[Estimate | None]] = {
        "over random": [s.over_random for s in board.scores],
        "below full": [s.below_full for s in board.scores],
        "recovered, %": [s.recovered for s in board.scores],
        "augmentation": [s.robustness for s in board.scores],
    }
    shown = {name: values for name, values in columns.items() if any(values)}
    rows = (
        [s.method, s.protocol, s.student, s.ipc, s.random or NOTHING, *(v or NOTHING for v in values)]
        for s, *values in zip(board.scores, *shown.values(), strict=True)
    )
    absent = [f"*{name.removesuffix(', %')}*: {_ABSENT[name]}" for name in columns if name not in shown]
    left_out = (f"Left out, as no row has a value: {'; '.join(absent)}.",) if absent else ()
    return section("Scores", ["method", "protocol", "student", "IPC", "random", *shown], rows, _SCORES, left_out)


def distilled_sets(board: Leaderboard) -> Section:
    """Return the table of distilled sets, and the list of their near-duplicates of validation images."""
    headers = ["method", "protocol", "IPC", "sets", "images, KiB", "soft labels, KiB", "coverage, %", "diversity"]
    rows = (
        [
            *(s.method, s.protocol, s.ipc, f"{s.assessed} of {s.sets}", *map(_kib, (s.image_bytes, s.label_bytes))),
            *(s.coverage or NOTHING, _two_decimals(s.diversity)),
            *(f"{count} of {s.images}" for count in (s.near_validation, s.near_training)),
        ]
        for s in board.sets
    )
    compared, listed = _near_images(board)
    text = f"{_SETS} {compared}"
    return section("Distilled sets", [*headers, "near validation", "near training"], rows, text, tuple(listed))


def _near_images(board: Leaderboard) -> tuple[str, list[str]]:
    """Return the number of near-duplicates by chance; and those of validation images, the nearest first."""
    places: dict[tuple[float, str, str], list[str]] = {}
    for s in board.sets:
        for image in s.shown:
            place = f"{markdown(s.method)}, IPC {s.ipc}"
            places.setdefault((image.nearness, image.image, image.nearest), []).append(place)
    listed = [
        f"{code(image)} is near validation image {code(nearest)} ({nearness:.3f}): {'; '.join(dict.fromkeys(own))}"
        for (nearness, image, nearest), own in sorted(places.items())[:_NEAR_SHOWN]
    ]
    more = [f"and {len(places) - _NEAR_SHOWN} more"] if len(places) > _NEAR_SHOWN else []
    near, checked = board.expected_near or (0, 0)
    compared = f"By the same rule, {near:,} of {checked:,} training images are near a validation image."
    return compared, [*listed, *more]


def _two_decimals(found: Summary) -> str:
    return f"{found.mean:.2f}" + ("" if found.std is None else f" ± {found.std:.2f}")


def _kib(size: int | None) -> str:
    return NOTHING if size is None else f"{size / 1024:,.1f}"
