"""Content-addressed artifacts and results."""

from ddbench.store.artifact import Artifact, Manifest, Output
from ddbench.store.files import CorruptError
from ddbench.store.store import Store

__all__ = ["Artifact", "CorruptError", "Manifest", "Output", "Store"]
