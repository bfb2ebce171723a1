"""Plan a suite's cells as a DAG of nodes with keys."""

from ddbench.plan.dag import Graph
from ddbench.plan.exports import Exports
from ddbench.plan.graph import build_graph
from ddbench.plan.inputs import Inputs, Shard
from ddbench.plan.node import ComponentRef, Node
from ddbench.plan.stages import STAGES, Stage
from ddbench.plan.state import State

__all__ = ["STAGES", "ComponentRef", "Exports", "Graph", "Inputs", "Node", "Shard", "Stage", "State", "build_graph"]
