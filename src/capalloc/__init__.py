"""Optimal multi-year public investment plans, with bounds that can be checked."""

from importlib.metadata import version

from capalloc.comparing import compare
from capalloc.front import ParetoFront
from capalloc.issues import CapallocError, EngineFailed, InvalidInput, Issue, Issues, Severity, UnknownName
from capalloc.model import Progress, Status, StoppedBy
from capalloc.plan import Plan
from capalloc.portfolio import Portfolio, load, load_plan
from capalloc.running import run
from capalloc.runs import Runs, load_runs
from capalloc.series import sweep

__all__ = [
    "CapallocError",
    "EngineFailed",
    "InvalidInput",
    "Issue",
    "Issues",
    "ParetoFront",
    "Plan",
    "Portfolio",
    "Progress",
    "Runs",
    "Severity",
    "Status",
    "StoppedBy",
    "UnknownName",
    "__version__",
    "compare",
    "load",
    "load_plan",
    "load_runs",
    "run",
    "sweep",
]

__version__ = version("capalloc")
