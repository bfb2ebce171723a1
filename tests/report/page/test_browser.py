"""The page in a browser: offline, without a request, sortable, inert, wide and narrow, light and dark.

These tests need the package ``playwright`` (extra ``browser``) and an installed ``chromium``.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ddbench.report.leaderboard import leaderboard_of
from ddbench.report.page import to_html
from tests.report.page.boards import board_results
from tests.report.page.test_render import HOSTILE, with_published

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Open = Callable[..., "Page"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra browser)")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Return a function that opens a page offline. At the end, it must have asked for nothing and reported no error."""
    told: list[str] = []
    contexts = []

    def open_page(text: str, width: int = 1400, **options: Any) -> Page:
        file = tmp_path / "page.html"
        file.write_text(text, encoding="utf-8")
        viewport = {"width": width, "height": 900}
        contexts.append(browser.new_context(offline=True, viewport=viewport, **options))
        page = contexts[-1].new_page()
        page.on("request", lambda request: told.append(request.url) if request.url != file.as_uri() else None)
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on("dialog", lambda dialog: told.append(dialog.message))
        page.goto(file.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert told == []


def to_the_end(page: Page) -> None:
    """Scroll through the page, so that every chart is drawn."""
    for figure in page.query_selector_all("figure"):
        figure.scroll_into_view_if_needed()
        page.wait_for_function("figure => figure.childElementCount > 1", arg=figure)


def html_of(**options: Any) -> str:
    results = board_results(options.pop("methods", ["A", "B", "C"]), **options)
    return to_html(results, leaderboard_of(results))


def first_cells(page: Page) -> list[str]:
    return page.eval_on_selector_all(
        "#board .tabulator-row", "rows => rows.map(r => r.querySelector('[tabulator-field=method]').textContent)"
    )


def test_hostile_names_are_shown_and_do_nothing(opened: Open) -> None:
    results = board_results(HOSTILE, students=HOSTILE[:2], baseline=HOSTILE[1])
    results = replace(results, suite=HOSTILE[0], generators={"dit": HOSTILE[1]}, scorers={HOSTILE[0]: HOSTILE[1]})
    page = opened(with_published(results, HOSTILE[1]))
    to_the_end(page)
    page.click("#controls summary")
    page.click("#ipc summary")
    page.click(".heat button")
    assert page.text_content("#provenance-title") == HOSTILE[0]
    assert page.title() == f"{HOSTILE[0]} – ddbench"
    assert page.eval_on_selector_all("img, b:not(header b), #provenance script", "found => found.length") == 0
    shown = [name.replace("\u202e", "\\u202e") for name in HOSTILE]
    assert set(first_cells(page)) <= set(shown)
    assert page.eval_on_selector_all(".methods label", "all => all.map(one => one.textContent)") == shown


def test_the_table_sorts_and_filters(opened: Open) -> None:
    page = opened(html_of(methods=[f"M{i}" for i in range(9)], ipcs=[10]))
    assert first_cells(page)[0] == "M0"
    page.click("#board .tabulator-col[tabulator-field=mean] .tabulator-col-title")
    means = page.eval_on_selector_all(
        "#board .tabulator-row [tabulator-field=mean]", "cells => cells.map(cell => Number(cell.textContent))"
    )
    assert means == sorted(means, reverse=True)
    page.locator("#board .tabulator-col[tabulator-field=method] input").press_sequentially("m7")
    page.wait_for_function("() => document.querySelectorAll('#board .tabulator-row').length === 1")
    assert first_cells(page) == ["M7"]


@pytest.mark.parametrize("place", [".heat button >> nth=3", "#board .tabulator-row button >> nth=3"])
def test_a_number_opens_its_trainings_also_by_keyboard(opened: Open, place: str) -> None:
    results = board_results(["A", "B"], seeds=2, baseline="A")
    page = opened(to_html(results, leaderboard_of(results)))
    page.focus(place)
    page.keyboard.press("Enter")
    text = page.inner_text("#provenance")
    for trial in (trial for trial in results.trials if (trial.method, trial.ipc) == ("B", 10)):
        measured = results.measured[trial.evaluation][0]
        assert f"{measured.last:.2f}" in text
        assert measured.action_key[:12] in text
    for part in ("against A", "Abacus 3000", "selector of B", "noise (steps=50)", "evaluate", "d" * 64):
        assert part in text
    page.keyboard.press("Escape")
    assert not page.is_visible("#provenance")


def test_the_front_holds_what_nothing_cheaper_beats(opened: Open) -> None:
    page = opened(html_of(methods=[f"M{i}" for i in range(12)], ipcs=[10], seeds=2))
    costs = page.evaluate(
        "page.shownAtIpc().map(e => ({method: e.method, cost: page.seconds(e, 0), mean: e.spread.mean}))"
    )
    front = page.evaluate("points => page.front(points).map(point => point.method)", costs)
    beaten = {
        one["method"]
        for one in costs
        for other in costs
        if other["cost"] <= one["cost"] and other["mean"] >= one["mean"] and other is not one
    }
    assert set(front) == {one["method"] for one in costs} - beaten
    assert 1 < len(front) < len(costs)


def test_every_chart_is_drawn_and_has_its_numbers(opened: Open) -> None:
    page = opened(with_published(board_results(["A", "B", "C"]), "A"))
    to_the_end(page)
    assert [figure.get_attribute("id") for figure in page.query_selector_all("figure:has(svg)")] == [
        *("ipc", "cost", "stages", "curves"),
        "published",
    ]
    labels = page.eval_on_selector_all("#cost circle[tabindex='0']", "all => all.map(one => one.ariaLabel)")
    assert {label.split("\n")[0] for label in labels} == {"A", "B", "C"}
    page.click("#stages summary")
    page.wait_for_selector("#stages td")
    numbers = page.eval_on_selector_all("#stages td", "cells => cells.map(cell => cell.textContent)")
    assert {("A", "fit"), ("C", "evaluate")} <= set(zip(numbers[::3], numbers[1::3], strict=True))


@pytest.mark.parametrize("width", [390, 1400])
def test_lines_have_whole_names(opened: Open, width: int) -> None:
    methods = [f"A method with a long name, number {i}" for i in range(4)]
    page = opened(html_of(methods=methods), width)
    to_the_end(page)
    for figure in ("ipc", "curves"):
        assert set(page.inner_text(f"#{figure}").split("\n")) >= set(methods)
    names = "#ipc .legend span" if width == 390 else "#ipc svg text:text-matches('number')"
    ends = [box["x"] + box["width"] for one in page.query_selector_all(names) if (box := one.bounding_box())]
    assert len(ends) == 4
    assert max(ends) <= width


def test_the_values_by_seed_need_no_scrolling_on_a_wide_screen(opened: Open) -> None:
    page = opened(html_of())
    page.click(".heat button")
    room, need = page.evaluate(
        "(({clientWidth, scrollWidth}) => [clientWidth, scrollWidth])(provenance.querySelector('.scroll'))"
    )
    assert need <= room


def test_the_choices_change_the_charts(opened: Open) -> None:
    page = opened(html_of(methods=[f"M{i}" for i in range(9)], students=["s", "t"]))
    to_the_end(page)
    assert "IPC 10." in page.inner_text("#cost")
    page.select_option("#controls select >> nth=1", "1")
    assert "IPC 1." in page.inner_text("#cost")
    page.click("#controls summary")
    boxes = page.locator(".methods input")
    for position in range(9):
        if boxes.nth(position).is_enabled():
            boxes.nth(position).check()
    assert page.locator(".methods input:checked").count() == page.evaluate("page.MOST_COLOURS")
    page.select_option("#controls select >> nth=0", '["t","minimax-hard@1"]')
    assert page.evaluate("page.shown().every(entry => entry.student === 't')")


def test_records_without_times_or_curves_are_told(opened: Open) -> None:
    results = board_results(["A", "B"])
    bare = {
        key: [one.model_copy(update={"stages": [one.stages[0].model_copy(update={"wall_s": None})]}) for one in found]
        for key, found in results.records.items()
    }
    for found in bare.values():
        found[0].result.curve[1:] = []
    results = replace(results, records=bare)
    page = opened(to_html(results, leaderboard_of(results)))
    to_the_end(page)
    assert "no complete times" in page.inner_text("#cost")
    assert "no learning curves" in page.inner_text("#curves")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_nothing_is_wider_than_the_window(opened: Open, width: int, scheme: str) -> None:
    methods = [f"A method with a rather long name, number {i}" for i in range(14)]
    page = opened(html_of(methods=methods, students=["s", "t"], baseline=methods[0]), width, color_scheme=scheme)
    to_the_end(page)
    page.click(".heat button")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate("document.getElementById('provenance').scrollWidth") <= width
    paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(21, 24, 28)"}[scheme]


def test_the_tables_are_shown_without_scripts(opened: Open) -> None:
    page = opened(html_of(), java_script_enabled=False)
    assert page.is_visible(".heat")
    assert page.locator("#entries noscript tbody tr").count() == 6
    assert not page.is_visible("#charts")


def test_a_large_board_keeps_few_rows_in_the_document(opened: Open) -> None:
    page = opened(html_of(methods=[f"M{i}" for i in range(50)], ipcs=[1, 10, 50], students=["s", "t"], seeds=1))
    assert 0 < page.locator("#board .tabulator-row").count() < 100
