"""Images learnt by gradient matching."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from ddbench import ComponentError, Context, Dataset, NetworkCost, TrainingData, component
from ddbench.cost import PASSES_OF_TRAINING, Cost, training_launches

from ._learnt.learnt_set import LearntSet
from ._learnt.params import GradientParams

# Updates of the images with each network, and epochs of the network between two of them, by images of a class.
LOOPS: Final = {1: (1, 1), 10: (10, 50), 20: (20, 25), 30: (30, 20), 40: (40, 15), 50: (50, 10)}
# A forward pass, two backward passes, and twice as much for the gradient of each backward pass.
PASSES_OF_LEARNING: Final = 7


@component("generator", "dc", version=1, paper="arXiv:2006.05929")
class GradientMatching(LearntSet):
    """DC: learn pixels whose gradients in a network are those of the real images.

    Each of ``networks`` networks starts with random weights. The loss sums the distances of the classes (equation 10).
    A class's distance compares the gradients of ``real_batch`` real images and of its learnt images. It is 1 − cosine,
    summed over the outputs of all layers. After ``updates`` updates of the images the next network comes. Between two
    updates the network is trained on the learnt images for ``epochs`` epochs. Defaults are those of the released code,
    which has loops for 1, 10, 20, 30, 40 and 50 images of a class. It leaves out biases and the parameters of norms,
    and so do we.

    Learnt images depend on their number, so each IPC has its own: ``images: ipc``. They are float32 and may exceed
    [0, 1]. Each generation seed learns a set of its own. Our choice is to pass real images in bfloat16.
    """

    class Params(GradientParams):
        """Parameters of DC."""

    params: Params

    @classmethod
    def example(cls, data: TrainingData, scratch: Path) -> dict[str, Any]:
        """Return parameters for two updates with one network."""
        sizes = {"images": 1, "real_batch": 2, "numerics": "reference"}
        return {**sizes, "networks": 1, "updates": 2, "epochs": 1}

    @property
    def updates(self) -> int:
        """Return the updates with each network."""
        return self._loop(0) if self.params.updates == "ipc" else self.params.updates

    @property
    def epochs(self) -> int:
        """Return the epochs of a network between two updates."""
        return self._loop(1) if self.params.epochs == "ipc" else self.params.epochs

    def _loop(self, which: int) -> int:
        if self.count not in LOOPS:
            raise ComponentError(
                f"{self.label()} has no published loops for {self.count} images of a class; it has them for "
                f"{', '.join(map(str, LOOPS))}",
                hint="give its parameters 'updates' and 'epochs' numbers",
            )
        return LOOPS[self.count][which]

    def check(self, dataset: Dataset) -> None:
        """Raise ComponentError if the student does not fit, real images are too few, or loops are not known."""
        super().check(dataset)
        if self.params.images != "ipc":
            _ = self.updates, self.epochs

    def learning_cost(self, network: NetworkCost, classes: int) -> Cost:
        """Return the cost of all updates and of the networks' epochs. Learnt images pass about seven times."""
        params, updates = self.params, self.params.networks * self.updates
        real = Cost(PASSES_OF_TRAINING * network.flops * params.real_batch * classes * updates)
        if params.numerics == "fast":
            real = real.in_half_precision()
        learnt = PASSES_OF_LEARNING * network.flops * self.count * classes * updates
        launches = 3 * training_launches(network.launches, classes * updates)
        between = params.networks * (self.updates - 1) * self.epochs
        trained = network.training(self.count * classes, between, params.network_batch)
        return real + Cost(learnt, launches=launches) + Cost(trained.flops, launches=trained.launches)

    def learn(self, data: TrainingData, out_dir: Path, ctx: Context) -> None:
        """Learn the images and write them."""
        from ._learnt.gradients import match_gradients
        from ._learnt.learner import Learner

        learner = Learner(self, data, ctx)
        learner.save(out_dir, match_gradients(learner, self.params, self.updates, self.epochs))
