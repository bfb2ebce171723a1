"""Student protocols as data. Torch is not imported here."""

from ddbench.protocol.augmentation import Augmentation, Siamese, SiameseColor, SiameseOperations
from ddbench.protocol.extend import read_protocol
from ddbench.protocol.protocol import Protocol

__all__ = ["Augmentation", "Protocol", "Siamese", "SiameseColor", "SiameseOperations", "read_protocol"]
