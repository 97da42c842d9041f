"""Constant matrices as graphs of adders."""

from .graph import AdderGraph
from .optimize import minimum_depth, optimize
from .picture import svg

__all__ = ["AdderGraph", "minimum_depth", "optimize", "svg"]
