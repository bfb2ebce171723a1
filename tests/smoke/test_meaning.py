"""``smoke@1`` measures something: quick enough for every run of the tests."""

from __future__ import annotations

from pathlib import Path

from tests.run.runs import run_in_process, state_of

SUITE = """\
suite: meaning
dataset: tiny-cifar
protocol: smoke@1
ipc: [5]
students: [convnet3]
seeds: {training: [0, 1, 2, 3, 4]}
methods:
  Random: {generator: real, selector: random}
"""


def test_convnet3_learns_from_five_random_images_a_class(tmp_path: Path) -> None:
    """Chance is 10 %; the mean over 5 seeds is above 18 %."""
    suite = tmp_path / "meaning.yaml"
    suite.write_text(SUITE)
    ended = run_in_process(suite, tmp_path / "store")
    assert ended.returncode == 0, ended.stderr
    state = state_of(suite, tmp_path / "store")
    accuracies = [records[0].result.last for records in state.results.values()]
    assert len(accuracies) == 5
    assert sum(accuracies) / 5 > 18
    assert len(set(accuracies)) > 1, "five seeds are five trainings"
