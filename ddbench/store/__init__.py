"""Content-addressed artifacts and results."""

from ddbench.store.artifact import Artifact, Output
from ddbench.store.manifest import Manifest
from ddbench.store.notes import Failure
from ddbench.store.store import Store
from ddbench.toolkit.files import CorruptError

__all__ = ["Artifact", "CorruptError", "Failure", "Manifest", "Output", "Store"]
