"""Render a leaderboard as one HTML file that loads nothing."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ddbench.report.leaderboard import Leaderboard
from ddbench.report.page.data import page_data
from ddbench.report.page.heat import SHADES, heat_of
from ddbench.report.results import Results
from ddbench.report.section import Section
from ddbench.report.sections import details, preamble, sections_of, verdicts
from ddbench.text import one_line

if TYPE_CHECKING:
    from markupsafe import Markup

_FOLDER: Final = Path(__file__).parent
_VENDOR: Final = _FOLDER / "vendor"
_STYLES: Final = (_VENDOR / "tabulator_simple.min.css", _FOLDER / "page.css")
_LIBRARIES: Final = ("d3.min.js", "plot.umd.min.js", "tabulator.min.js")
# In the order in which they use each other.
_SCRIPTS: Final = ("base.js", "provenance.js", "table.js", "chart.js", "accuracy.js", "cost.js", "curves.js", "main.js")


def to_html(results: Results, board: Leaderboard) -> str:
    """Return the page of a leaderboard. Equal results give equal bytes.

    The page holds its scripts, its styles and its data. Its policy allows these scripts and no other source.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    data = page_data(results, board)
    paths = [*(_VENDOR / name for name in _LIBRARIES), *(_FOLDER / "js" / name for name in _SCRIPTS)]
    scripts = [path.read_text(encoding="utf-8") for path in paths]
    by_entry = [section for section in (details(board), verdicts(board)) if section.rows]
    environment = Environment(
        autoescape=True,
        loader=FileSystemLoader(_FOLDER),
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=_visible,
    )
    page = environment.get_template("page.html").render(
        data=data,
        policy=_policy(scripts),
        styles=[_trusted(path.read_text(encoding="utf-8")) for path in _STYLES],
        scripts=list(map(_trusted, scripts)),
        json=_trusted(_inert_json(data)),
        licences={path.name: path.read_text(encoding="utf-8") for path in sorted(_VENDOR.glob("*-LICENSE"))},
        preamble=list(map(_inline, preamble(board))),
        mixed=len(board.protocols) > 1,
        heat=heat_of(board),
        shades=SHADES,
        by_entry=list(map(_as_html, by_entry)),
        sections=[_as_html(section) for section in sections_of(board) if section not in by_entry],
    )
    return page.lstrip() + "\n"


def _visible(value: Any) -> Any:
    """Return a value of the template; a text without control characters, such as those that turn its direction."""
    return one_line(value) if type(value) is str else value


def _as_html(section: Section) -> Section:
    """Return a section with HTML in place of Markdown."""
    items = tuple(map(_inline, section.items))
    return replace(section, title=_inline(section.title), text=_inline(section.text), items=items)


def _inline(text: str) -> Markup:
    """Return a line of Markdown as HTML. Tags in it are shown as text."""
    from markdown_it import MarkdownIt

    return _trusted(MarkdownIt("commonmark", {"html": False}).renderInline(text))


def _policy(scripts: list[str]) -> str:
    """Return a Content Security Policy that allows these inline scripts, inline styles, and nothing else."""
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    other = "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    return f"default-src 'none'; script-src {allowed}; {other}"


def _inert_json(data: dict[str, Any]) -> str:
    """Return data as JSON that no HTML parser takes for markup."""
    text = json.dumps(_rounded(data), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _trusted(text: str) -> Markup:
    """Return a text that jinja2 does not escape."""
    from markupsafe import Markup

    return Markup(text)


def _rounded(value: Any) -> Any:
    """Return a JSON value with six digits of each number: versions of scipy differ in the last ones."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, Mapping):
        return {name: _rounded(each) for name, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list | tuple) else value
