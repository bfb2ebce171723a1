"""Pools and parameters that SAS cannot use, and the messages that say so."""

from __future__ import annotations

import numpy as np
import pytest
from sas_reference import pool_of, sas

from ddbench import ComponentError, Context


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_unusable_embeddings_are_named(bad: float) -> None:
    images, texts, labels = np.ones((6, 2)), np.ones((2, 2)), [0, 0, 0, 1, 1, 1]
    images[4, 1] = bad
    with pytest.raises(ComponentError, match=r"field 'clip\.image' has NaN or infinite values for class 'class 1'"):
        sas().select(pool_of(images, texts, labels), 2, Context())
    texts[1, 0] = bad
    with pytest.raises(
        ComponentError, match=r"class field 'clip\.text' has NaN or infinite values for class 'class 1'"
    ):
        sas().select(pool_of(np.ones((6, 2)), texts, labels), 2, Context())


def test_mistakes_are_named() -> None:
    images = np.ones((6, 2))
    with pytest.raises(ComponentError, match=r"the pool has no class field 'clip\.text'"):
        sas().select(pool_of(images), 2, Context())
    with pytest.raises(ComponentError, match=r"the pool has no field 'siglip\.image'"):
        sas(teacher="siglip").select(pool_of(images, images[:1]), 2, Context())
    with pytest.raises(ComponentError, match=r"'clip\.text' is 1 x 3, not 1 x 2: one prototype per class, as wide as"):
        sas().select(pool_of(images, np.ones((1, 3))), 2, Context())
    with pytest.raises(ComponentError, match="choose 7 of only 6 candidates of class 'class 0'"):
        sas().select(pool_of(images, images[:1]), 7, Context())
    for p in (0, -0.5, 1.5):
        with pytest.raises(ComponentError, match="parameter 'p'"):
            sas(p=p)
