"""Random changes of bytes, and the loop that all fuzzers share."""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence

from ddbench.errors import DdbenchError

_SLOW_S = 10.0


def mutated(data: bytes, rng: random.Random, words: Sequence[bytes]) -> bytes:
    """Return ``data`` after one to eight random changes: bytes or words inserted, replaced, doubled or removed."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(changed) + 1)
        span = rng.choice((1, 1, 2, 8, 64))
        match rng.randrange(5):
            case 0:
                changed[at:at] = rng.choice(words)
            case 1:
                changed[at : at + 1] = rng.randbytes(1)
            case 2:
                del changed[at : at + span]
            case 3:
                changed[at:at] = changed[at : at + span] * rng.choice((1, 2, 40))
            case _:
                other = rng.randrange(len(changed) + 1)
                changed[at : at + span] = changed[other : other + span]
    return bytes(changed)


def fuzz(
    attempt: Callable[[random.Random], object], seed: int, *, seconds: float = 0, attempts: int = 0
) -> Counter[str]:
    """Call ``attempt`` with a new random generator until the time is over or the attempts are made.

    A DdbenchError of one line is an expected answer. Anything else stops the loop with the seed of the attempt.

    Args:
        attempt: reads one mutated input.
        seed: the seed of the first attempt; each attempt adds 1.
        seconds: the least duration.
        attempts: the least number of attempts.

    Returns:
        The number of attempts by outcome: ``read`` or the name of the error.

    Raises:
        AssertionError: an attempt raised another exception, took too long, or its error has several lines.
    """
    outcomes: Counter[str] = Counter()
    ends = time.monotonic() + seconds
    while outcomes.total() < attempts or time.monotonic() < ends:
        own = seed + outcomes.total()
        began = time.process_time()
        try:
            attempt(random.Random(own))
            outcomes["read"] += 1
        except DdbenchError as error:
            message = str(error)
            outcomes[type(error).__name__] += 1
            if len(message.splitlines()) != 1:
                raise AssertionError(f"seed {own}: an error of several lines: {message}") from error
        except Exception as error:
            raise AssertionError(f"seed {own}: {type(error).__name__}: {error}") from error
        took = time.process_time() - began
        assert took < _SLOW_S, f"seed {own} took {took:.0f} s"
    return outcomes


def main(attempt: Callable[[random.Random], object]) -> None:
    """Run a fuzzer for ``--minutes`` from ``--seed``, and print the number of inputs by outcome."""
    parser = argparse.ArgumentParser(description="Read changed inputs. Stop at a traceback, and print its seed.")
    parser.add_argument("--minutes", type=float, default=20, help="run for so long (default: 20)")
    parser.add_argument("--seed", type=int, default=0, help="the seed of the first input (default: 0)")
    chosen = parser.parse_args()
    outcomes = fuzz(attempt, chosen.seed, seconds=60 * chosen.minutes)
    print(f"{outcomes.total():,} inputs: {dict(outcomes)}")
