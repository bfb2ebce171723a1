"""The page that a leaderboard becomes, to the letter."""

from __future__ import annotations

from dataclasses import replace

from ddbench.report.comparison import Comparison
from ddbench.report.leaderboard import Entry, Leaderboard
from ddbench.report.markdown import to_markdown
from ddbench.stats.repeats import Repeats
from ddbench.stats.summary import Summary, summarise
from ddbench.suite import Published

BOARD = Leaderboard(
    suite="small",
    dataset="dots",
    numerics="reference",
    seeds={"generation": 1, "selection": 1, "training": 3},
    ddof=1,
    rows={
        "Random": {
            "generator": "real",
            "pool": "everything",
            "selector": "random",
            "refiner": "none",
            "labels": "hard",
            "protocol": "p@1",
        },
    },
    generators={"mgd": "mode-guidance (guidance=2.0)"},
    scorers={"teacher": "trained-teacher (seed=1)"},
    summaries={"p@1": "Short and hard."},
    entries=(
        Entry(
            "Random", 10, "convnet3", "p@1", 3, summarise([10.0, 20.0, 30.0]), summarise([31.0, 32.0, 33.0]), 100, 6, 80
        ),
        Entry("Random", 1, "convnet3", "p@1", 3, summarise([10.0, 12.0]), summarise([11.0, 13.0]), 100),
        Entry("Random", 10, "resnet18", "p@1", 3, None, None, None),
        Entry("A | B", 10, "convnet3", "p@1", 1, Summary(1, 9.96, None), Summary(1, 100.0, None), 1),
    ),
    validation=(("0123456789abcdef" * 4, 500),),
    environments=("Abacus 3000 (reference), torch 2.9.0, ddbench 0.1.0",),
)

PAGE = r"""
# small

Data set dots, protocol p@1, numerics reference.$$
Top-1 accuracy in %, mean ± standard deviation (ddof 1) over 3 training seeds. Each set counts once. The \
deviation is that of set means, or of the trainings of a row with one set.$$
*last* is the accuracy after the last epoch. *best* is the highest accuracy of all evaluations of a training, as \
papers report it. It is optimistic, because the validation set selects it. It is empty unless the suite sets \
`evaluate: papers`.$$
Validation set: 500 images, sha256 0123456789ab, binomial standard error of one accuracy at most 2.2.$$
Environment: Abacus 3000 (reference), torch 2.9.0, ddbench 0.1.0.

## Last accuracy

| method   | convnet3 IPC 1        | convnet3 IPC 10   | resnet18 IPC 10   |
|----------|-----------------------|-------------------|-------------------|
| Random   | 11.0 ± 1.4 (2 of 3) a | 20.0 ± 10.0       | – b               |
| A \| B   |                       | 10.0              |                   |

- a: unfinished, so over the finished trainings only
- b: no result yet
- empty: not in the suite

## Methods

| method   | generator   | pool       | selector   | refiner   | labels   | protocol   |
|----------|-------------|------------|------------|-----------|----------|------------|
| Random   | real        | everything | random     | none      | hard     | p@1        |

- protocol `p@1`: Short and hard.
- generator `mgd`: mode-guidance (guidance=2.0)
- scorer `teacher`: trained-teacher (seed=1)

## All entries

| method   | student   | IPC   | images   | n      | sets   | last        | 95 % interval   | rank   | best       \
| evaluations   | epochs   |
|----------|-----------|-------|----------|--------|--------|-------------|-----------------|--------|------------\
|---------------|----------|
| Random   | convnet3  | 10    | 80       | 3 of 3 | –      | 20.0 ± 10.0 | –               | –      | 32.0 ± 1.0 \
| 100           | 6        |
| Random   | convnet3  | 1     | –        | 2 of 3 | –      | 11.0 ± 1.4  | –               | –      | 12.0 ± 1.4 \
| 100           | –        |
| Random   | resnet18  | 10    | –        | 0 of 3 | –      | –           | –               | –      | –          \
| –             | –        |
| A \| B   | convnet3  | 10    | –        | 1 of 1 | –      | 10.0        | –               | –      | 100.0      \
| 1             | –        |
"""


def test_the_page_to_the_letter() -> None:
    # Two spaces at its end break a line in markdown; editors like to remove them.
    assert to_markdown(BOARD) == PAGE.lstrip().replace("$$", "  ").replace("\\\n", "")


def headline(board: Leaderboard) -> list[str]:
    """Return the lines of the first table."""
    return to_markdown(board).partition("## Last accuracy\n\n")[2].partition("\n\n")[0].splitlines()


def test_protocols_are_never_mixed_in_silence() -> None:
    other = replace(BOARD.entries[0], protocol="q@2", last=summarise([1.0]))
    board = replace(BOARD, entries=(BOARD.entries[0], other))
    assert headline(board) == [
        "| method   | protocol   | convnet3 IPC 10   |",
        "|----------|------------|-------------------|",
        "| Random   | p@1        | 20.0 ± 10.0       |",
        "| Random   | q@2        | 1.0 (1 of 3) a    |",
    ]
    page = to_markdown(board)
    assert "protocol p@1, q@2," in page
    assert "| Random   | q@2        | convnet3  | 10    | 80       | 1 of 3 |" in page
    assert headline(replace(board, chance=10.0))[-1] == "| Chance   | –          | 10.0              |"


def test_chance_is_the_last_row() -> None:
    assert headline(replace(BOARD, chance=12.5))[-1] == (
        "| Chance   | 12.5                  | 12.5              | 12.5              |"
    )


def test_columns_keep_the_order_of_students_and_count_up_in_ipc() -> None:
    entries = [
        replace(BOARD.entries[0], student=student, ipc=ipc)
        for student in ("resnet18", "convnet3")
        for ipc in (50, 10, 1)
    ]
    assert [cell.strip() for cell in headline(replace(BOARD, entries=tuple(entries)))[0].split("|")[2:-1]] == [
        "resnet18 IPC 1",
        "resnet18 IPC 10",
        "resnet18 IPC 50",
        "convnet3 IPC 1",
        "convnet3 IPC 10",
        "convnet3 IPC 50",
    ]


def test_what_varied_is_said() -> None:
    said = "deviation (ddof 1) over "
    one = to_markdown(replace(BOARD, seeds={"generation": 1, "selection": 1, "training": 1}))
    assert f"{said}one seed of each axis." in one
    two = to_markdown(replace(BOARD, seeds={"generation": 2, "selection": 1, "training": 3}))
    assert f"{said}2 generation seeds, 3 training seeds." in two


def test_a_second_validation_set_or_machine_shows() -> None:
    board = replace(BOARD, validation=(*BOARD.validation, ("f" * 64, 499)), environments=("a", "b"))
    page = to_markdown(board)
    error = "binomial standard error of one accuracy at most 2.2"
    both = f"500 images, sha256 0123456789ab, {error}; 499 images, sha256 ffffffffffff, {error}."
    assert f"Validation set: {both}" in page
    assert "Environment: a; b." in page


PUBLISHED = r"""
## Against published numbers

*Reproduced* means that the published mean lies within our interval, widened on both sides by the published standard \
deviation, if there is one. Our interval is the 95 % Student-t interval of the mean accuracy. The unit of repetition \
is the distilled set, or the training if there is only one set. Each set counts once. A published *best* is compared \
with our *best*, which needs `evaluate: papers`. A published *last* is compared with our *last*. If the statistic is \
unknown, our *last* is shown. There is no verdict for an unknown statistic, for another number of evaluations, for a \
single unit, or while a training is missing.

| method   | protocol   | student   | IPC   | published      | statistic   | source   | ours       \
| n                  | 95 % interval   | difference   | verdict        |
|----------|------------|-----------|-------|----------------|-------------|----------|------------\
|--------------------|-----------------|--------------|----------------|
| Random   | p@1        | convnet3  | 10    | 14.4 ± 2.0     | last        | A \| B   | 15.0 ± 1.2 \
| 5 sets × 4         | [14.32, 15.68]  | +0.60        | reproduced     |
| Random   | p@1        | convnet3  | 10    | 26.0 (n = 100) | best of 100 | C        | 15.0 ± 1.2 \
| 5 sets × 4         | [14.32, 15.68]  | -11.00       | not reproduced |
| Random   | p@1        | convnet3  | 1     | 14.4 ± 2.0     | last        | A \| B   | 15.0       \
| 1 set × 1 (1 of 3) | –               | +0.60        | –              |
| Random   | p@1        | resnet18  | 10    | 14.4 ± 2.0     | last        | A \| B   | –          \
| –                  | –               | –            | –              |

## Methods
"""


def test_published_numbers_to_the_letter() -> None:
    first = Published("Random", "dots", "convnet3", 10, 14.4, 2.0, None, "A | B", statistic="last")
    second = replace(first, mean=26.0, std=None, n=100, source="C", statistic="best of 100")
    whole, one = Repeats((4,) * 5, 15.0, 1.2, (14.324, 15.676)), Repeats((1,), 15.0, None, None)
    comparison = Comparison("Random", "p@1", "convnet3", 10, first, 20, whole, 0.6, True)
    comparisons = (
        comparison,
        replace(comparison, published=second, difference=-11.0, reproduced=False),
        replace(comparison, ipc=1, expected=3, ours=one, reproduced=None),
        replace(comparison, student="resnet18", ours=None, difference=None, reproduced=None),
    )
    page = to_markdown(replace(BOARD, comparisons=comparisons))
    expected = PUBLISHED.strip("\n").replace("\\\n", "")
    assert expected in page
    assert page.index("## Last accuracy") < page.index("## Against published numbers")
