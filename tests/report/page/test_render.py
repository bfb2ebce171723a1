"""The file of a page: complete, deterministic, inert, and readable without scripts."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace

import pytest

from ddbench.report.comparison import Comparison
from ddbench.report.leaderboard import leaderboard_of
from ddbench.report.page import to_html
from ddbench.report.page.data import page_data
from ddbench.report.results import Results
from ddbench.stats.repeats import Repeats
from ddbench.suite.published import Published
from tests.report.page.boards import board_results
from tests.report.page.html import Page
from tests.report.page.renew_vendored import FOLDER, pinned

HOSTILE = (
    "</script><script>document.title = 'taken'</script>",
    "<img src=x onerror=\"document.title = 'taken'\">",
    "'\"><b>bold</b>",
    "<!-- <script>",
    "</noscript></table><h1>",
    "{{ data }} ${document.title = 'taken'}",
    "\u202egnp.exe",
    "&lt;i&gt;",
)


def html(results: Results) -> str:
    return to_html(results, leaderboard_of(results))


def test_equal_results_give_equal_bytes() -> None:
    results = board_results(["A", "B", "C"], baseline="A")
    other = board_results(["A", "B", "C"], baseline="A")
    turned = replace(
        other,
        measured=dict(reversed(other.measured.items())),
        records=dict(reversed(list(other.records.items()))),
    )
    assert html(results) == html(turned)
    assert html(results) != html(board_results(["A", "B", "D"], baseline="A"))


def test_the_policy_allows_exactly_the_scripts_of_the_page() -> None:
    page = Page(html(board_results(["A"])))
    (policy,) = (value for _, name, value in page.attributes if name == "content" and "default-src" in str(value))
    directives = dict(part.split(" ", 1) for part in str(policy).split("; "))
    run = [content for attributes, content in page.scripts if "type" not in attributes]
    digests = {base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() for content in run}
    assert directives.pop("script-src").split() == [f"'sha256-{digest}'" for digest in _digests(run)]
    assert len(digests) == len(run) > 3
    assert directives == {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def _digests(scripts: list[str]) -> list[str]:
    return [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]


def test_the_page_refers_to_nothing_outside() -> None:
    page = Page(html(board_results(["A"])))
    assert page.tags["link"] == page.tags["img"] == page.tags["iframe"] == 0
    assert [value for _, name, value in page.attributes if name in ("src", "srcset", "action", "data", "poster")] == []
    assert all(str(value).startswith("#") for _, name, value in page.attributes if name == "href")
    assert not any(name.startswith("on") for _, name, _ in page.attributes)


def test_the_data_can_be_read_back() -> None:
    results = board_results(["A", "</script>", "é\u2028"], baseline="A")
    board = leaderboard_of(results)
    page = Page(to_html(results, board))
    (content,) = (content for attributes, content in page.scripts if attributes.get("id") == "data")
    exact = json.loads(json.dumps(page_data(results, board)), parse_float=lambda text: float(f"{float(text):.6g}"))
    assert json.loads(content) == exact


def with_published(results: Results, name: str) -> str:
    """Return the page of results that are compared with a published number of this name."""
    published = Published(name, "dots", "convnet3", 1, 20.0, 1.0, None, name, paper=name, statistic="last")
    ours = Repeats((1, 1, 1), 21.0, 0.5, (20.0, 22.0))
    compared = Comparison(results.trials[0].method, "p", "convnet3", 1, published, 3, ours, 1.0, True)
    return to_html(results, replace(leaderboard_of(results), comparisons=(compared,)))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_adds_no_markup(name: str) -> None:
    def page(name: str) -> Page:
        results = board_results([name, "B"], students=[f"{name} s"], baseline=name)
        results.rows[name]["selector"] = name
        return Page(with_published(replace(results, suite=name, dataset=name, scorers={name: name}), name))

    shown = name.replace("\u202e", "\\u202e")
    hostile, plain = page(name), page("p" * len(shown))
    assert hostile.tags == plain.tags
    assert [row[:2] for row in hostile.attributes] == [row[:2] for row in plain.attributes]
    assert [row[0] for row in hostile.rows["accuracy"]] == ["method", shown, "B"]


def test_no_character_that_turns_text_is_in_the_page() -> None:
    assert re.search("[\u202a-\u202e\u2066-\u2069]", html(board_results([*HOSTILE, "\u2067x"]))) is None


def test_the_numbers_are_readable_without_scripts() -> None:
    results = board_results(["A", "B"], ipcs=[1, 10], students=["s", "t"])
    board = leaderboard_of(results)
    rows = Page(to_html(results, board)).rows
    head, *lines = rows["accuracy"]
    assert head == ["method", "sIPC 1", "sIPC 10", "tIPC 1", "tIPC 10"]
    spreads = {(one.method, one.student, one.ipc): one.spread for one in board.statistics.standings}
    for method, *cells in lines:
        for cell, place in zip(cells, [("s", 1), ("s", 10), ("t", 1), ("t", 10)], strict=True):
            spread = spreads[method, *place]
            assert spread is not None
            assert spread.interval is not None
            assert cell == "{:.1f}[{:.1f}, {:.1f}]".format(spread.mean, *spread.interval)
    assert len(rows["entries"]) == 1 + len(board.entries)


def test_one_set_has_no_interval_and_no_rank_and_a_missing_result_is_a_dash() -> None:
    results = board_results(["A", "B"], ipcs=[1], seeds=1)
    missing = results.trials[1].evaluation
    partial = replace(results, measured={key: found for key, found in results.measured.items() if key != missing})
    rows = Page(html(partial)).rows
    mean = results.measured[results.trials[0].evaluation][0].last
    assert rows["accuracy"][1:] == [["A", f"{mean:.1f}no interval (a)"], ["B", "–0 of 1 (b)"]]
    columns = [rows["entries"][0].index(title) for title in ("last", "95 % interval", "rank")]
    assert [[row[n] for n in columns] for row in rows["entries"][1:]] == [[f"{mean:.1f}", "–", "–"], ["–", "–", "–"]]


def test_marks_tell_the_best_its_ties_and_verdicts() -> None:
    methods = [f"M{i:02}" for i in range(20)]
    results = board_results(methods, ipcs=[10], seeds=5, baseline="M10")
    board = leaderboard_of(results)
    text = to_html(results, board)
    found = dict(
        re.findall(r'<th scope="row">(M\d\d)</th><td class="heat-\d+"><button type="button"(.*?)<small>', text)
    )
    standings = {one.method: one for one in board.statistics.standings}
    best = max(standings, key=lambda name: standings[name].spread.mean if standings[name].spread else 0)
    for name, one in standings.items():
        assert one.rank is not None
        mark = "best" if name == best else "tied" if one.rank.low == 1 else None
        assert re.findall('class="(.*?)"', found[name]) == ([mark] if mark else [])
        word = one.verdict.word if one.verdict else None
        assert ("▲" in found[name], "▼" in found[name]) == (word == "better", word == "worse")
    assert {one.verdict.word for one in standings.values() if one.verdict} >= {"better", "worse"}


def test_the_vendored_files_are_the_pinned_ones() -> None:
    digests = {name: file["sha256"] for package in pinned().values() for name, file in package["files"].items()}
    found = {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.name != "vendored.json"}
    assert {name: hashlib.sha256(content).hexdigest() for name, content in found.items()} == digests
    assert not any(re.search(b"</script|<!--", found[name], re.IGNORECASE) for name in found if name.endswith(".js"))
