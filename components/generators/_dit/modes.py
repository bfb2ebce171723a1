"""The modes of a class: cluster centres of its real latents."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.cluster import KMeans
from torch import Tensor

from ddbench import Context

from .real_latents import RealLatents


def find_modes(latents: RealLatents, classes: int, count: int, ctx: Context) -> Tensor:
    """Return ``count`` k-means centres of each class's mean latents: CPU, float32 ``[classes, count, C, H, W]``."""
    found = []
    for label in range(classes):
        own = latents.mean[0][latents.labels == label].float().cpu()
        means = KMeans(count, n_init="auto", random_state=0).fit(own.flatten(1).numpy()).cluster_centers_
        found.append(torch.from_numpy(means.astype(np.float32)).view(count, *own.shape[1:]))
        ctx.progress(label + 1, classes)
    return torch.stack(found)
