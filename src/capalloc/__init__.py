"""Optimal multi-year public investment plans, with bounds that can be checked."""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("capalloc")
