"""The checks of behaviour find what is wrong with learnt images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import save_file

from ddbench import (
    ComponentError,
    Context,
    DistilledSet,
    Evaluation,
    Prior,
    Samples,
    Scorer,
    TrainingData,
    component,
)
from ddbench.testing import check_behaviour
from tests.testing.conforming import FineEvaluator, FineGenerator, FineRefiner


class Floats(FineGenerator):
    """Noise as floats, some of them outside [0, 1]."""

    def sample_block(self, class_index: int, block: int, ctx: Context) -> Samples:
        samples = super().sample_block(class_index, block, ctx)
        return Samples(samples.images.float() / 255 * 3 - 1, samples.ids)


class OneFit(FineGenerator):
    """Has the same fit for each seed, against its word."""

    fits_by_seed = True

    def fit(self, data: TrainingData, out_dir: Path, ctx: Context) -> None:
        save_file({"mean": data.train.images.float().mean((0, 2, 3))}, out_dir / "mean.safetensors")


class ForBytes(FineRefiner):
    """Inverts bytes."""

    def refine(
        self, distilled: DistilledSet, prior: Prior | None, teacher: Scorer | None, ctx: Context
    ) -> DistilledSet:
        return DistilledSet(255 - distilled.images, distilled.labels, distilled.sample_ids, ipc=distilled.ipc)


class ByteMeans(FineEvaluator):
    """Takes float images for bytes."""

    def judged(self, distilled: DistilledSet) -> Evaluation:
        return self.found if distilled.images.float().mean() > 1 else Evaluation(11.0, 11.0, 1, ((2, 11.0),))


def test_a_generator_of_floats_passes(tmp_path: Path) -> None:
    check_behaviour(component("generator", "broken", version=1)(Floats), tmp_path)


@pytest.mark.parametrize(
    ("cls", "said"),
    [
        (OneFit, "declares fits_by_seed = True, but its fit is the same for each seed"),
        (ForBytes, "makes of float images a set that has pixels from"),
        (ByteMeans, "has 33.0 % with uint8 images, and 11.0 % with the same as floats"),
    ],
)
def test_a_broken_promise_is_found(cls: type[Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match=said):
        check_behaviour(component(cls.kind, "broken", version=1)(cls), tmp_path)
