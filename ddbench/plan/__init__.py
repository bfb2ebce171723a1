"""Cells to a DAG of stage nodes with keys."""

from ddbench.plan.graph import Graph, build_graph
from ddbench.plan.node import STAGES, ComponentRef, Node
from ddbench.plan.state import State

__all__ = ["STAGES", "ComponentRef", "Graph", "Node", "State", "build_graph"]
