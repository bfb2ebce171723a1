"""The common shape of all students: features, then one linear layer."""

from __future__ import annotations

from torch import Tensor, nn


class Classifier(nn.Module):
    """``features`` maps images ``[n, 3, H, W]`` to an embedding ``[n, D]``; ``head`` maps that to logits ``[n, C]``."""

    def __init__(self, features: nn.Module, head: nn.Linear) -> None:
        super().__init__()
        self.features = features
        self.head = head

    def embed(self, x: Tensor) -> Tensor:
        """The penultimate embedding ``[n, D]``."""
        embedding: Tensor = self.features(x)
        return embedding

    def forward(self, x: Tensor) -> Tensor:
        """Logits ``[n, C]``."""
        logits: Tensor = self.head(self.embed(x))
        return logits
