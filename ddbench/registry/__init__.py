"""The components and protocols of installed plug-ins. Entry points name plug-ins, which implement pluggy hooks."""

from ddbench.registry.catalogue import Catalogue, catalogue, create
from ddbench.registry.hooks import hookimpl
from ddbench.registry.scan import components_in

__all__ = ["Catalogue", "catalogue", "components_in", "create", "hookimpl"]
