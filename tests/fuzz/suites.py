"""Fuzz the reader of suites and of published numbers: ``python -m tests.fuzz.suites --minutes 20 --seed 0``."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from ddbench.plan import build_graph
from ddbench.suite import load_suite
from ddbench.suite.shipped import shipped_numbers, shipped_suites
from tests.fuzz.mutation import main, mutated

_WORDS = [
    *(
        b": ",
        b"- ",
        b"{",
        b"}",
        b"[",
        b"]",
        b"&a ",
        b"*a",
        b"<<: *a",
        b"!!set ",
        b"!!python/name:os.system ",
        b"|\n",
        b">\n",
    ),
    *(b"'", b'"', b"#", b"---\n", b"...\n", b"%YAML 1.1\n", b"\t", b"\n", b"\r", b"\x00", b"\x1b[2J", b"\xff\xfe"),
    *(
        b"\xed\xa0\x80",
        b"\\ud800",
        b"\\x1b",
        b"\xe2\x80\xae",
        b".inf",
        b".nan",
        b"1e999",
        b"-1",
        b"0",
        b"null",
        b"true",
    ),
    *(b"9" * 30, b"1e-400", b"10000000", b"4x", b"0.0x", b"use: ", b"extends: smoke\n", b"extends: ../x\n", b"pool: "),
    *(
        b"published: /dev/zero\n",
        b"published: .\n",
        b"time_limit: ",
        b"exclude: [{}]\n",
        b"a" * 300,
        b"~",
        b"/",
        b"[" * 64,
    ),
]
_CSV = b"method,dataset,student,ipc,mean,std,n,source\nRandom,tiny-cifar,convnet3,1,14.4,2.0,5,Table 1\n"
_NAMES = ("smoke", "cifar10-mini")
_SUITES = [shipped_suites()[name].read_bytes() for name in _NAMES]
_NUMBERS = [_CSV, *(path.read_bytes()[:4000] for path in shipped_numbers().values())]


def attempt(rng: random.Random) -> None:
    """Load and plan a mutated suite, or one with a mutated file of published numbers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        suite = rng.choice(_SUITES)
        if rng.random() < 0.25:
            (folder / "p.csv").write_bytes(mutated(rng.choice(_NUMBERS), rng, _WORDS))
            suite = b"published: p.csv\n" + b"\n".join(
                line for line in suite.splitlines() if not line.startswith(b"published")
            )
        else:
            suite = mutated(suite, rng, _WORDS)
        (folder / "s.yaml").write_bytes(suite)
        build_graph(load_suite(folder / "s.yaml"))


if __name__ == "__main__":
    main(attempt)
