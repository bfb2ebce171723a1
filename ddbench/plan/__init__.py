"""Cells to a DAG of stage nodes with keys."""
