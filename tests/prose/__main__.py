"""Print what the prose of the project violates: ``python -m tests.prose --help``."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from random import Random

from tests.prose.project import project_texts
from tests.prose.rules import RULES, Violation, violations
from tests.prose.text import Kind, Text

SAMPLED: dict[Kind, int] = {"docstring": 20, "error": 10}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 1 if there is a violation, else 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.prose", description="Check the English that people read.")
    parser.add_argument("--paths", nargs="+", default=[], metavar="PREFIX", help="check only files below these paths")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--count", action="store_true", help="print the number of violations by rule and folder")
    output.add_argument("--sample", type=int, metavar="SEED", help="print 20 docstrings and 10 errors drawn at random")
    options = parser.parse_args(arguments)
    texts = list(project_texts(prefixes=tuple(options.paths)))
    if options.sample is not None:
        _print_sample(texts, options.sample)
        return 0
    found = [violation for text in texts for violation in violations(text)]
    if options.count:
        _print_counts(found)
    else:
        print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


def _print_counts(found: Sequence[Violation]) -> None:
    counts = Counter((violation.file.split("/")[0], violation.rule) for violation in found)
    totals = Counter(violation.rule for violation in found)
    print(f"{'':<20}" + "".join(f"{rule:>10}" for rule in RULES))
    for folder in sorted({folder for folder, _ in counts}):
        print(f"{folder:<20}" + "".join(f"{counts[folder, rule]:>10}" for rule in RULES))
    print(f"{'all':<20}" + "".join(f"{totals[rule]:>10}" for rule in RULES))


def _print_sample(texts: Sequence[Text], seed: int) -> None:
    random = Random(seed)
    for kind, count in SAMPLED.items():
        candidates = [text for text in texts if text.kind == kind and text.file.startswith(("ddbench/", "components/"))]
        for text in random.sample(candidates, min(count, len(candidates))):
            print(f"{text.file}:{text.line}: {kind}\n{text.value.strip()}\n")


if __name__ == "__main__":
    sys.exit(main())
