"""The figures in docs are those that were measured."""

from __future__ import annotations

import json
import re
import statistics
from pathlib import Path
from types import ModuleType

import pytest
from ddbench_components.generators import dit_nano
from ddbench_components.recipes.dit_nano.card import table
from scipy import stats

from ddbench.report.exported import read_exported
from ddbench.report.leaderboard import leaderboard_of
from tests.benchmarks import equality, generation, objective, parity, refinement, students
from tests.benchmarks.test_students import LEAST, reached
from tests.conftest import ROOT
from tests.docs.pages import DOCS, README, table_after

DIT_NANO = Path(dit_nano.__file__).with_name("_dit_nano")
BENCHMARKS, GENERATOR = DOCS / "benchmarks.md", DOCS / "generator.md"
MINI = ROOT / "leaderboard" / "results" / "cifar10-mini"


@pytest.mark.parametrize("figures", [students, equality, parity, generation, refinement, objective])
def test_the_figures_are_those_that_were_measured(figures: ModuleType) -> None:
    mark = {students: "speed"}.get(figures, figures.__name__.rpartition(".")[2])
    page = GENERATOR if figures is objective else BENCHMARKS
    assert table_after(page, mark) == figures.table(json.loads(figures.FILE.read_text()))


def test_the_figures_of_dit_nano_are_those_of_its_card() -> None:
    about = json.loads((DIT_NANO / "figures.json").read_text())
    assert table_after(GENERATOR, "dit-nano") == table(about["figures"])
    last = {e.method: e.last for e in leaderboard_of(read_exported(MINI)).entries if e.ipc == 10}
    ours, random = last["DiT-nano"], last["Random"]
    assert ours is not None
    assert random is not None
    text = GENERATOR.read_text()
    assert f"to {ours} % of" in text
    assert f"train it to {random} %." in text
    assert ours.n == random.n == 5
    assert ours.mean >= random.mean + 4
    (picture,) = re.findall(r"!\[.*?\]\((.*?)\)", text)
    assert (DOCS / picture).samefile(DIT_NANO / "samples.png")


def test_the_interval_of_a_difference_is_scipys() -> None:
    for sides in json.loads(parity.FILE.read_text()).values():
        found = stats.ttest_ind(sides["fast"], sides["plain"], equal_var=False).confidence_interval(parity.CONFIDENCE)
        assert equality.difference(sides["fast"], sides["plain"], parity.CONFIDENCE)[1:] == pytest.approx(found)


def test_many_seeds_say_what_the_page_says() -> None:
    """The claims below the table: no loss of half a point, undecided at first, and no loss shown by bfloat16."""
    kept = json.loads(parity.FILE.read_text())
    plain, fast, reference = (kept["resnetap10"][side] for side in ("plain", "fast", "reference"))
    assert (len(plain), len(fast), len(reference)) == (186, 186, 10)
    _, low, high = equality.difference(fast, plain, parity.CONFIDENCE)
    assert -0.5 < low < 0 < high
    mean, low, high = equality.difference(fast[:100], plain[:100], parity.CONFIDENCE)
    assert low < -0.5 < 0 < high
    text = " ".join(BENCHMARKS.read_text(encoding="utf-8").split())
    first = f"{mean:+.2f} [{low:+.2f}, {high:+.2f}]"
    assert (
        f"first 100 seeds of each alone gave {first} and did not decide, so we added {len(plain) - 100} of each" in text
    )
    mean, low, high = equality.difference(fast[100:], plain[100:], parity.CONFIDENCE)
    assert f"Those alone gave {mean:+.2f} [{low:+.2f}, {high:+.2f}]." in text
    apart = [one - other for one, other in zip(fast, reference, strict=False)]
    error = statistics.stdev(apart) / len(apart) ** 0.5
    assert f"`fast` less `reference` is {statistics.fmean(apart):+.2f} with a standard error of {error:.2f}." in text


def test_students_are_as_fast_and_as_good_as_is_said() -> None:
    """The least that is wanted, in the figures that were kept."""
    kept = json.loads(students.FILE.read_text())
    assert kept["environment"]["device_model"].split()[0] in BENCHMARKS.read_text()
    for student, least in LEAST.items():
        assert all(ratio >= wanted for ratio, wanted in zip(reached(kept["students"][student]), least, strict=True))
    equal = json.loads(equality.FILE.read_text())
    assert equal.keys() == LEAST.keys()
    for figures in equal.values():
        assert min(len(figures["plain"]), len(figures["fast"])) >= 10
        _, low, high = equality.difference(figures["fast"], figures["plain"])
        assert -equality.MARGIN <= low <= high <= equality.MARGIN


def test_the_picture_of_the_readme_shows_the_committed_results() -> None:
    (picture,) = re.findall(r"!\[.*?\]\((.*?)\)", README.read_text())
    drawn = (ROOT / picture).read_text(encoding="utf-8")
    texts = [text.replace("&#160;", " ").strip() for text in re.findall(r">([^<>]+)</text>", drawn)]
    board = leaderboard_of(read_exported(MINI))
    for entry in board.entries:
        assert any(entry.method in text for text in texts), entry.method
    lines = "\n".join(texts)
    for entry in board.entries:
        assert str(entry.last) in lines
    assert len(drawn) < 200_000
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", ""), "a picture loads nothing"
