"""The base of scorers whose network was trained elsewhere."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

import ddbench
from ddbench import ComponentError, Context, Progress, Scorer, TrainingData, unkeyed
from ddbench.toolkit import enough_memory, file_sha256

from .._weights import Published, fetch_published, given_weights, published_weights

if TYPE_CHECKING:
    from torch import Tensor


class PretrainedScorer(Scorer):
    """A scorer whose network was trained elsewhere.

    Its weights come from the file ``weights``, which is identified by its content. Without that file, the other
    parameters name published weights, which are identified by their name. A subclass locates these, builds the network,
    and computes its fields.
    """

    class Params(ddbench.Params):
        weights: Path | None = unkeyed(
            None, description="a file of the model's weights: safetensors, or a state dict saved by torch"
        )
        precision: Literal["float32", "mixed"] = Field(
            "float32", description="mixed multiplies in float16 on a GPU; on a CPU it is float32"
        )
        block: int = Field(64, ge=1, description="images that are scored together")

    params: Params
    _model: Any
    _transform: Callable[..., Tensor]

    @property
    @abstractmethod
    def weights_name(self) -> str:
        """Return the name of the published weights, for messages."""

    @property
    @abstractmethod
    def known_place(self) -> Published | None:
        """Return the place of these weights on the Hub, or None if only their library knows it."""

    @property
    def likely_place(self) -> Published | None:
        """Return the place where the library publishes most of its weights, or None."""
        return None

    @abstractmethod
    def look_up_place(self) -> Published:
        """Ask the library for the place. Raise ComponentError if it is not on the Hub."""

    @abstractmethod
    def build(self, data: TrainingData) -> tuple[Any, Callable[..., Tensor]]:
        """Return the network with its weights, and its transform of a Pillow picture.

        Raises:
            ComponentError: the weights are missing, damaged or another model's.
        """

    @abstractmethod
    def predict(self, pixels: Tensor) -> dict[str, Tensor]:
        """Return the fields of transformed pictures ``[n, 3, H, W]``."""

    @property
    def block(self) -> int:
        """Return the number of images that are scored together."""
        return self.params.block

    def fingerprint(self) -> Any:
        """Return the digest of the file ``weights``, if it is given. Raise ComponentError if it is not there."""
        path = self.params.weights
        return None if path is None else {"weights": file_sha256(given_weights(path))}

    def missing(self) -> str | None:
        """Return a message about missing weights, or None.

        The library is not imported, since this takes seconds. If only the library knows the place, the message says so.
        """
        if self.params.weights is not None:
            return None
        if self.known_place is not None:
            return self._gap(self.known_place)
        if self.likely_place is not None and self._gap(self.likely_place) is None:
            return None
        return (
            f"{self.label()}: it is not known whether weights of {self.weights_name} are on this machine; "
            "`ddbench fetch SUITE` gets or checks them"
        )

    def _gap(self, place: Published) -> str | None:
        try:
            published_weights(place, self.label())
        except ComponentError as error:
            return str(error)
        return None

    def fetch(self, progress: Progress) -> None:
        """Fetch published weights. Raise ComponentError if that fails, or the file ``weights`` is missing."""
        if self.params.weights is None:
            fetch_published(self.known_place or self.look_up_place(), progress)
        else:
            given_weights(self.params.weights)

    def weights_file(self) -> Path:
        """Return the file of the weights. Raise ComponentError if it is not on this machine."""
        if self.params.weights is not None:
            return given_weights(self.params.weights)
        return published_weights(self.known_place or self.look_up_place(), self.label())

    def load(self, fitted: Path | None, data: TrainingData, ctx: Context) -> None:
        """Build the network with its weights. Raise ComponentError if they are missing, damaged or another model's."""
        from ._pretrained import frozen

        self.check_classes(data.classes)
        with enough_memory(f"the network of {self.label()}"):
            network, self._transform = self.build(data)
            self._model = frozen(network, ctx.device)

    def score_block(self, images: Tensor, ctx: Context) -> dict[str, Tensor]:
        """Return the fields of uint8 images ``[n, 3, H, W]``, float32."""
        from ._pretrained import network_input

        with self.scoring(f"scoring {len(images)} images at once by", self.block, ctx):
            fields = self.predict(network_input(images, self._transform, ctx.device))
        return {name: values.float() for name, values in fields.items()}

    @contextmanager
    def scoring(self, what: str, count: int, ctx: Context) -> Iterator[None]:
        """Compute in the chosen precision without gradients. If memory runs out, name the parameter ``block``."""
        from ._pretrained import scoring

        with enough_memory(f"{what} {self.label()}", "block", count), scoring(self.params.precision, ctx.device):
            yield
