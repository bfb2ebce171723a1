"""Write the reference pages from the code: `python docs/generate.py`. `--check` only reports stale pages."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from _generate import api, cli, components, hooks, protocols, suite

REFERENCE = Path(__file__).with_name("reference")
PAGES = {
    "cli": cli.page,
    "suite": suite.page,
    "components": components.page,
    "protocols": protocols.page,
    "hooks": hooks.page,
    "api": api.page,
}
NOTE = "<!-- Made from the code by `python docs/generate.py`. Do not edit. -->"


def main() -> int:
    """Write the pages; with `--check`, write nothing and return 1 if a page is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit 1 if a committed page is stale")
    check = parser.parse_args().check
    made = {REFERENCE / f"{name}.md": f"{NOTE}\n\n{page()}\n" for name, page in PAGES.items()}
    stale = [path for path, text in made.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if check:
        for path in stale:
            print(f"{path} is stale: run `python docs/generate.py`", file=sys.stderr)
        return int(bool(stale))
    REFERENCE.mkdir(exist_ok=True)
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
