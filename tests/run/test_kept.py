"""Blocks of scores and samples that a stage keeps."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from ddbench import Context, Samples, Scorer, component
from ddbench.run.kept import from_part, score_by_block, to_part
from ddbench.toolkit.kept_parts import KeptPart, KeptParts, Pace, read_part, write_part


class KilledError(Exception):
    """The machine went away."""


@component("scorer", "positional", version=1)
class Positional(Scorer):
    """Scores that depend on the place in a block, as rounding does. It counts its blocks, and dies in one."""

    provides = ("mean", "place")
    block = 4

    def __init__(self, dies_in: int | None = None) -> None:
        super().__init__()
        self.blocks, self.dies_in = 0, dies_in

    def score_block(self, images: Tensor, ctx: Context) -> dict[str, Tensor]:
        self.blocks += 1
        if self.blocks == self.dies_in:
            raise KilledError
        place = torch.arange(4.0)
        return {"mean": images.float().mean((1, 2, 3)) + place, "place": place[:, None]}


def images(count: int) -> Tensor:
    return torch.randint(256, (count, 3, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


@pytest.mark.parametrize("count", [1, 4, 5, 11])
def test_scores_by_block_are_those_of_the_scorer(count: int) -> None:
    seen: list[tuple[int, int]] = []
    ctx = Context(progress=lambda done, total: seen.append((done, total)))
    whole = Positional().score(images(count), Context())
    found = score_by_block(Positional(), images(count), ctx)
    assert list(found) == list(whole)
    assert all(found[name].equal(whole[name]) for name in whole)
    assert seen == [(min(done, count), count) for done in range(4, count + 4, 4)]


@pytest.mark.parametrize("dies_in", [1, 2, 3])
def test_scoring_that_was_stopped_goes_on_after_its_last_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_in: int
) -> None:
    monkeypatch.setattr(Pace, "due", True)
    ctx = Context(checkpoint_file=tmp_path / "unfinished.safetensors")
    with pytest.raises(KilledError):
        score_by_block(Positional(dies_in), images(11), ctx)
    again = Positional()
    found = score_by_block(again, images(11), ctx)
    assert again.blocks == 3 - (dies_in - 1)
    whole = Positional().score(images(11), Context())
    assert all(found[name].equal(whole[name]) for name in whole)


def test_blocks_of_another_size_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size of a block need not enter keys, since scores do not depend on it."""
    monkeypatch.setattr(Pace, "due", True)
    ctx = Context(checkpoint_file=tmp_path / "unfinished.safetensors")
    with pytest.raises(KilledError):
        score_by_block(Positional(dies_in=3), images(16), ctx)
    monkeypatch.setattr(Positional, "block", 2)
    monkeypatch.setattr(Positional, "score_block", lambda self, two, ctx: dict.fromkeys(self.provides, two.float()))
    found = score_by_block(Positional(), images(16), ctx)
    assert found["mean"].equal(images(16).float())


def test_a_scorer_keeps_no_parts_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the file of the stage, the second block would be resumed from the parts of the first."""
    monkeypatch.setattr(Pace, "due", True)

    class Keeping(Positional):
        def score_block(self, images: Tensor, ctx: Context) -> dict[str, Tensor]:
            made = KeptParts(ctx).get("mine", lambda: KeptPart(Positional.score_block(self, images, ctx)))
            return dict(made.tensors)

    found = score_by_block(Keeping(), images(11), Context(checkpoint_file=tmp_path / "unfinished.safetensors"))
    assert found["mean"].equal(Positional().score(images(11), Context())["mean"])


@pytest.mark.parametrize("latents", [None, torch.rand(2, 4, 8, 8).half()])
def test_samples_are_kept_whole(tmp_path: Path, latents: Tensor | None) -> None:
    samples = Samples(images(2), ("a/0", "ä/1"), latents, ("one remark",))
    file = tmp_path / "part.safetensors"
    write_part(file, to_part(samples))
    part = read_part(file)
    assert isinstance(part, KeptPart)
    for found in (from_part(part), from_part(to_part(samples))):
        assert found.images.equal(samples.images)
        assert (found.ids, found.notes) == (samples.ids, samples.notes)
        assert (found.latents is None) == (latents is None)
        assert latents is None or (found.latents is not None and found.latents.equal(latents))
