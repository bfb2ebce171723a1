"""What pretrained scorers have in common."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

import ddbench
from ddbench import ComponentError, Scorer, unkeyed
from ddbench.api.component import Progress
from ddbench.toolkit.files import file_sha256

from .._weights import Published, fetch_published, given_weights, published_weights


class PretrainedScorer(Scorer):
    """A scorer whose network was trained elsewhere.

    Its weights are those of the file ``weights``, known by its content; without it, those that the other parameters
    name, known by that name.
    """

    class Params(ddbench.Params):
        weights: Path | None = unkeyed(
            None, description="a file of the model's weights: safetensors, or a state dict saved by torch"
        )
        precision: Literal["float32", "mixed"] = Field(
            "float32", description="mixed: fields come of float16 products on a GPU; on a CPU it is float32"
        )
        block: int = Field(64, ge=1, description="images that are scored together")

    params: Params

    @property
    def block(self) -> int:
        """As the parameter says."""
        return self.params.block

    def fingerprint(self) -> Any:
        """The content of the file ``weights``, where it is given. Raises ComponentError where it is not there."""
        path = self.params.weights
        return None if path is None else {"weights": file_sha256(given_weights(path))}

    def fetch(self, progress: Progress) -> None:
        """Get the weights that are known by their name; a file of the user's must be there."""
        if self.params.weights is None:
            fetch_published(self.published(), progress)
        else:
            given_weights(self.params.weights)

    @abstractmethod
    def published(self) -> Published:
        """Where the weights that the parameters name are. Raises ComponentError where that is not on the Hub."""


def unknown_place(name: str, wanted_by: str) -> str:
    """That only the library which publishes the weights knows where they are, and it takes seconds to ask."""
    said = f"it is not known whether weights of {name} are on this machine; `ddbench fetch SUITE` gets or checks them"
    return f"{wanted_by}: {said}"


def lacking(weights: Published, wanted_by: str) -> str | None:
    """None if published weights are on this machine, else that they are not, and how to get them."""
    try:
        published_weights(weights, wanted_by)
    except ComponentError as error:
        return str(error)
    return None
