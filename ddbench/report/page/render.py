"""Render a leaderboard as one HTML file that loads nothing."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddbench.report.leaderboard import Leaderboard
from ddbench.report.page.data import page_data
from ddbench.report.page.tables import PARTS, SHADES, entries_table, heat_table, legend, overall_table, reported_table
from ddbench.report.results import Results

if TYPE_CHECKING:
    from markupsafe import Markup

_FOLDER = Path(__file__).parent
_VENDOR = _FOLDER / "vendor"
_LIBRARIES = ("d3.min.js", "plot.umd.min.js", "tabulator.min.js")
# In the order in which they use each other.
_SCRIPTS = ("base.js", "provenance.js", "table.js", "chart.js", "accuracy.js", "cost.js", "curves.js", "main.js")


def to_html(results: Results, board: Leaderboard) -> str:
    """Return the page of a leaderboard. Equal results give equal bytes.

    The page holds its scripts, its styles and its data. Its policy allows these scripts and no other source.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    data = page_data(results, board)
    scripts = _scripts()
    loader = FileSystemLoader(_FOLDER)
    environment = Environment(
        autoescape=True, loader=loader, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    return environment.get_template("page.html").render(
        data=data,
        policy=_policy(scripts),
        styles=[
            _trusted(path.read_text(encoding="utf-8"))
            for path in (_VENDOR / "tabulator_simple.min.css", _FOLDER / "page.css")
        ],
        scripts=[_trusted(script) for script in scripts],
        json=_trusted(_inert_json(data)),
        licences={path.name: path.read_text(encoding="utf-8") for path in sorted(_VENDOR.glob("*-LICENSE"))},
        results=sum(len(entry["trainings"]) for entry in data["entries"]),
        protocols=list(data["protocols"]),
        mixed=len(data["protocols"]) > 1,
        legend=legend(data),
        heat=heat_table(data),
        overall=overall_table(data),
        table=entries_table(data),
        reported=reported_table(data),
        parts=PARTS,
        shades=SHADES,
    )


def _scripts() -> list[str]:
    paths = [*(_VENDOR / name for name in _LIBRARIES), *(_FOLDER / "js" / name for name in _SCRIPTS)]
    return [path.read_text(encoding="utf-8") for path in paths]


def _policy(scripts: list[str]) -> str:
    """Return a Content Security Policy that allows these inline scripts, inline styles, and nothing else."""
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def _inert_json(data: dict[str, Any]) -> str:
    """Return data as JSON that no HTML parser takes for markup."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _trusted(text: str) -> Markup:
    """Return a text that jinja2 does not escape."""
    from markupsafe import Markup

    return Markup(text)
