"""Short ways to write down tiny portfolios and plans, and to say what a plan breaks."""

from capalloc.allocation import Allocation, Choice, Payment
from capalloc.records import Project
from capalloc.settings import Settings
from capalloc.tables import Tables
from capalloc.verification import verify

PHASES = ({"name": "A", "first": 2021, "last": 2022}, {"name": "B", "first": 2023, "last": 2024})


def tables(*projects, objective=None, phases=PHASES, discount_rate=0, **more):
    """Return tables from 2021 to 2024 in two phases; other settings and tables are given by name."""
    names = ("may_cross_phase", "may_run_over", "prices", "decide_from")
    general = {name: more.pop(name) for name in names if name in more}
    settings = Settings(
        first_year=2021,
        last_year=2024,
        phases=phases,
        discount_rate=discount_rate,
        objective=objective or {},
        **general,
    )
    return Tables(settings=settings, projects=projects, **more)


def project(name, cost=None, **more):
    """Return a project of one year, unless told otherwise."""
    return Project(id=name, cost=cost, **more)


def plan(*choices, paid=()):
    """Return a plan of (project, start) or (project, start, mode), and of (project, source, year, amount)."""
    chosen = [Choice(name, *mode or ("",), start) for name, start, *mode in choices]
    return Allocation(tuple(chosen), tuple(Payment(*payment) for payment in paid))


def broken(given, allocation):
    """Return code, found, allowed and difference of all that a plan breaks; without amounts the code alone."""
    names = ("found", "allowed", "difference")
    return [
        (issue.code, *(issue.arguments[name] for name in names if name in issue.arguments))
        for issue in verify(given, allocation).violations
    ]
