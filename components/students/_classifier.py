"""The common form of all students: features and one linear layer."""

from __future__ import annotations

from torch import Tensor, nn


class Classifier(nn.Module):
    """A network of two parts.

    Attributes:
        features: the part that maps images ``[n, 3, H, W]`` to embeddings ``[n, D]``.
        head: the layer that maps embeddings to logits ``[n, C]``.
    """

    def __init__(self, features: nn.Module, head: nn.Linear) -> None:
        super().__init__()
        self.features = features
        self.head = head

    def embed(self, x: Tensor) -> Tensor:
        """Return the penultimate embedding ``[n, D]``."""
        embedding: Tensor = self.features(x)
        return embedding

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``[n, C]``."""
        logits: Tensor = self.head(self.embed(x))
        return logits
