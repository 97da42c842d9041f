"""Constant matrices as graphs of adders."""

from .graph import AdderGraph
from .picture import svg
from .solver import minimum_depth, optimize

__all__ = ["AdderGraph", "minimum_depth", "optimize", "svg"]
