"""Keep the samples of a generator as parts of unfinished work."""

from __future__ import annotations

from ddbench.api import Samples
from ddbench.toolkit.kept_parts import KeptPart


def to_part(samples: Samples) -> KeptPart:
    """Return samples as a part."""
    latents = {} if samples.latents is None else {"latents": samples.latents}
    return KeptPart({"images": samples.images, **latents}, {"ids": samples.ids, "notes": samples.notes})


def from_part(part: KeptPart) -> Samples:
    """Undo :func:`to_part`, also after the part was written and read."""
    ids, notes = tuple(part.notes["ids"]), tuple(part.notes["notes"])
    return Samples(part.tensors["images"], ids, part.tensors.get("latents"), notes)
