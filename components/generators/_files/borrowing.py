"""The parameters by which an imported pool borrows the prior of another generator. Torch is not imported here."""

from __future__ import annotations

import ddbench
from ddbench import BorrowedPrior, unkeyed


class BorrowingParams(ddbench.Params):
    """The generator whose prior refines the images."""

    prior: str | None = unkeyed(
        None, min_length=1, description="the generator of the suite whose prior refines the images; by default none"
    )

    def borrowed(self, *, encode: bool) -> BorrowedPrior | None:
        """Return the prior that refiners use, or None. It encodes the images if ``encode`` says so."""
        return None if self.prior is None else BorrowedPrior(self.prior, encode)
