"""Draw the leaderboard of the README from committed results: `python docs/picture.py` writes docs/leaderboard.svg."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ddbench.report.exported import read_exported
from ddbench.report.leaderboard import leaderboard_of

SUITE = "cifar10-mini"
PICTURE = Path(__file__).with_name("leaderboard.svg")
BAR = 40
# rich's own format without its web font: a picture in a page loads nothing.
FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
font-family: Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: {char_height}px; line-height: {line_height}px;
}}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def main() -> None:
    """Write the picture."""
    board = leaderboard_of(read_exported(Path(__file__).parents[1] / "leaderboard" / "results" / SUITE))
    last = {(entry.method, entry.ipc): entry.last for entry in board.entries}
    methods = list(dict.fromkeys(entry.method for entry in board.entries))
    small, large = sorted({entry.ipc for entry in board.entries})
    most = max(value.mean for value in last.values() if value)
    table = Table(box=None, pad_edge=False)
    table.add_column("method")
    table.add_column(f"IPC {small}", justify="right")
    table.add_column(f"IPC {large}", justify="right")
    table.add_column("")
    for method in methods:
        value = last[method, large]
        bar = "━" * round(BAR * value.mean / most) if value else ""
        table.add_row(method, _cell(last[method, small]), _cell(value), Text(bar, style="cyan"))
    console = Console(record=True, width=96, file=io.StringIO(), color_system="truecolor", force_terminal=True)
    console.print(table)
    title = f"{SUITE}: ConvNet-3 under {', '.join(board.protocols)}, accuracy in %"
    PICTURE.write_text(console.export_svg(title=title, code_format=FORMAT), encoding="utf-8")


def _cell(value: object) -> str:
    return "–" if value is None else str(value).ljust(len("00.0 ± 0.0"))


if __name__ == "__main__":
    main()
