"""timm's classifiers, built around weights that are on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import timm
from timm.models import load_state_dict

from ddbench import ComponentError

from .._weights import Published, loading
from ._pretrained import unseeded
from ._pretrained_specs import TIMM_FILES


def model_config(name: str, wanted_by: str) -> Any:
    """Return timm's configuration of a model and its weights. Raise ComponentError for an unknown name."""
    try:
        return timm.get_pretrained_cfg(name, allow_unregistered=False)
    except RuntimeError:
        close = get_close_matches(name, [*timm.list_models(), *timm.list_pretrained()], n=1)
        hint = f"did you mean '{close[0]}'?" if close else "`timm.list_pretrained()` gives all names"
        raise ComponentError(f"{wanted_by}: timm {timm.__version__} has no model '{name}'", hint=hint) from None


def published(name: str, config: Any, wanted_by: str) -> Published:
    """Return the place of a model's weights. Raise ComponentError if they are not on the Hugging Face Hub."""
    if not config.hf_hub_id:
        raise ComponentError(
            f"{wanted_by}: the weights of '{name}' are not on the Hugging Face Hub",
            hint=f"download {config.url or 'them'} and name the file in the parameter 'weights'",
        )
    return Published(name, config.hf_hub_id, TIMM_FILES)


def build(name: str, path: Path, outputs: int, settings: Mapping[str, Any]) -> Any:
    """Return the model with the weights of ``path``, read as timm reads published ones. Pickled objects are refused.

    Args:
        name: timm's name of the model.
        path: the file of weights.
        outputs: the required number of outputs.
        settings: changes of the model's published input settings (``mean``, ``input_size``, …).

    Raises:
        ComponentError: the file cannot be read, or holds the weights of another model.
    """
    with loading(path, f"timm's {name}"):
        state = load_state_dict(str(path), weights_only=True)
        _check_outputs(name, path, state, outputs)
        # Without num_classes in the overlay, timm would replace a classifier of another size by a random one.
        overlay = {**settings, "state_dict": state, "num_classes": outputs}
        with unseeded():
            model = timm.create_model(name, pretrained=True, num_classes=outputs, pretrained_cfg_overlay=overlay)
    model.pretrained_cfg.pop("state_dict")  # a second copy of the weights
    return model


def _check_outputs(name: str, path: Path, state: Mapping[str, Any], outputs: int) -> None:
    """Raise ComponentError if the classifier has other classes and the file names its last layer as timm does."""
    layers = timm.get_pretrained_cfg(name).classifier or ()
    for layer in [layers] if isinstance(layers, str) else layers:
        weight = state.get(f"{layer}.weight")
        if weight is not None and len(weight) != outputs:
            raise ComponentError(
                f"holds a teacher with other classes: it has {len(weight)} outputs, not {outputs}",
                where=str(path),
                hint="set `classes` to `imagenet` for the 1000 of ImageNet-1k, `dataset` for the data set's, or names",
            )
