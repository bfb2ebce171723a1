"""Public names for components that estimate the cost of their work. Torch is not imported here."""

from ddbench.api.cost import COLOURS, FLOAT, PASSES_OF_TRAINING, Cost, NetworkCost, Work, training_launches
from ddbench.api.work import Decode, Fit, Loss, Refine, Sample, Score, Train

__all__ = [
    "COLOURS",
    "FLOAT",
    "PASSES_OF_TRAINING",
    "Cost",
    "Decode",
    "Fit",
    "Loss",
    "NetworkCost",
    "Refine",
    "Sample",
    "Score",
    "Train",
    "Work",
    "training_launches",
]
