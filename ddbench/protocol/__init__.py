"""Student protocols as data. Torch is not imported here."""

from ddbench.protocol.augmentation import Augmentation
from ddbench.protocol.protocol import Protocol, read_protocol

__all__ = ["Augmentation", "Protocol", "read_protocol"]
