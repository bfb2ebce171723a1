"""open_clip's models, built around weights that are on this machine."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import open_clip
from torch import Tensor

from ddbench import ComponentError

from .._weights import Published, loading
from ._pretrained import unseeded
from ._pretrained_specs import OPEN_CLIP_FILES


def tag_config(model: str, tag: str | None, wanted_by: str) -> dict[str, Any]:
    """Return open_clip's configuration of a tag's weights, empty if there is no tag.

    Raises:
        ComponentError: there is no such model or tag, or the model's text is split by a tokenizer from the network.
    """
    config = open_clip.get_model_config(model)
    if config is None:
        raise _unknown(f"has no model '{model}'", model, open_clip.list_models(), wanted_by)
    text = config["text_cfg"]
    if "hf_tokenizer_name" in text or "hf_model_name" in text or "siglip" in model.lower():
        raise ComponentError(
            f"{wanted_by}: '{model}' splits text with a tokenizer that is fetched from the network",
            hint="choose a model that has open_clip's own tokenizer, such as ViT-B-32",
        )
    if tag is None:
        return {}
    found: dict[str, Any] = open_clip.get_pretrained_cfg(model, tag)
    if not found:
        tags = open_clip.list_pretrained_tags_by_model(model)
        raise _unknown(f"has no weights '{tag}' of '{model}'", tag, tags, wanted_by)
    return found


def published(name: str, config: dict[str, Any], wanted_by: str) -> Published:
    """Return the place of a tag's weights. Raise ComponentError if they are not on the Hugging Face Hub."""
    repository, _, file = config["hf_hub"].rpartition("/")
    if not repository:
        raise ComponentError(
            f"{wanted_by}: the weights of '{name}' are not on the Hugging Face Hub",
            hint=f"download {config['url']} and name the file in the parameter 'weights'",
        )
    files = (str(Path(file).with_suffix(".safetensors")), file) if file else OPEN_CLIP_FILES
    return Published(name, repository, files)


def build(model: str, path: Path, tag: dict[str, Any]) -> tuple[Any, Callable[..., Tensor]]:
    """Return the model with the weights of ``path``, and its transform of a Pillow picture.

    open_clip sets the activation and the preprocessing of a tag only if it fetches the weights itself. So both are set
    here; OpenAI's weights need QuickGELU.

    Raises:
        ComponentError: the file cannot be read, or holds the weights of another model.
    """
    with loading(path, f"open_clip's {model}"), unseeded():
        network, transform = open_clip.create_model_from_pretrained(
            model,
            pretrained=str(path),
            force_quick_gelu=tag.get("quick_gelu", False),
            image_mean=tag.get("mean"),
            image_std=tag.get("std"),
            image_interpolation=tag.get("interpolation"),
            image_resize_mode=tag.get("resize_mode"),
        )
    return network, transform


def _unknown(problem: str, word: str, names: list[str], wanted_by: str) -> ComponentError:
    close = get_close_matches(word, names, n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"known: {', '.join(names) or 'none'}"
    return ComponentError(f"{wanted_by}: open_clip {open_clip.__version__} {problem}", hint=hint)
