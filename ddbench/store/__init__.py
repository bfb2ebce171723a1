"""Content-addressed artifacts and results."""

from ddbench.store.artifact import Artifact, Manifest, Output
from ddbench.store.store import Store
from ddbench.toolkit.files import CorruptError

__all__ = ["Artifact", "CorruptError", "Manifest", "Output", "Store"]
