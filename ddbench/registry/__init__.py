"""Which components and protocols there are: plug-ins, found through entry points and asked through pluggy hooks."""

from ddbench.registry.catalogue import Catalogue, catalogue, create
from ddbench.registry.hooks import hookimpl
from ddbench.registry.scan import components_in

__all__ = ["Catalogue", "catalogue", "components_in", "create", "hookimpl"]
