"""Images learnt by distribution matching."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ddbench import Context, NetworkCost, TrainingData, component
from ddbench.cost import Cost, training_launches

from ._learnt.learnt_set import LearntSet
from ._learnt.params import DistributionParams


@component("generator", "dm", version=1, paper="arXiv:2110.04181")
class DistributionMatching(LearntSet):
    """DM: learn pixels whose mean embedding is that of the real images, in networks with random weights.

    Each update draws a network with new weights. The loss sums over the classes the squared distance between the mean
    embeddings of ``real_batch`` real images and of the class's learnt images (equation 5). Both get the same siamese
    augmentation with the same parameters. Its operations and defaults are those of the released code.

    Learnt images depend on their number, so each IPC has its own: ``images: ipc``. They are float32 and may exceed
    [0, 1]. Each generation seed learns a set of its own. Our choice is to pass real images in bfloat16.
    """

    class Params(DistributionParams):
        """Parameters of DM."""

    params: Params

    @classmethod
    def example(cls, data: TrainingData, scratch: Path) -> dict[str, Any]:
        """Return parameters for two updates."""
        return {"images": 1, "steps": 2, "real_batch": 2, "numerics": "reference"}

    def learning_cost(self, network: NetworkCost, classes: int) -> Cost:
        """Return the cost of all updates: real images pass forward, learnt ones also back to their pixels."""
        params, updates = self.params, self.params.steps * classes
        real = Cost(network.flops * params.real_batch * updates)
        if params.numerics == "fast":
            real = real.in_half_precision()
        launches = training_launches(network.launches, updates)
        return real + Cost(2 * network.flops * self.count * updates, launches=launches)

    def learn(self, data: TrainingData, out_dir: Path, ctx: Context) -> None:
        """Learn the images and write them."""
        from ._learnt.distributions import match_distributions
        from ._learnt.learner import Learner

        learner = Learner(self, data, ctx)
        learner.save(out_dir, match_distributions(learner, self.params))
