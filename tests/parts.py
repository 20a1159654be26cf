"""Portfolios with programmes, of which a plan may do a part, and what is read of their answers."""

from fractions import Fraction

from building import project, tables
from capalloc.compiling import compile_tables
from capalloc.model import SolveOptions, Status
from capalloc.records import (
    Envelope,
    Source,
)
from capalloc.solving import optimize

ENGINES = ["capalloc", "highs", "enumeration", "pulp:CBC"]

EXACT = SolveOptions(time_limit=60, gap=0.0, threads=1)

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)

S, T = Source(id="S"), Source(id="T")


def programme(name, cost, value=10, least=HALF, **more):
    """Return a programme that starts in 2021 and takes one year, unless told otherwise."""
    terms = {"latest_start": 2021} | more
    return project(name, cost, kind="programme", min_scale=Fraction(least), value=Fraction(value), **terms)


def works(name, cost, value=10, **more):
    """Return a project that starts in 2021, is done whole, and takes one year, unless told otherwise."""
    return project(name, cost, value=Fraction(value), **({"latest_start": 2021} | more))


def state(amount, period="2021:2024", source=("S",)):
    """Return an envelope."""
    return Envelope(source=source, period=period, amount=amount)


def portfolio(*projects, rooms=(), sources=(S,), **more):
    """Return tables with the envelopes given as amounts by period; a year without any has plenty."""
    envelopes = tuple(state(amount, period) for period, amount in dict(rooms).items())
    return tables(*projects, sources=sources, envelopes=(*envelopes, state(10**9)), **more)


def scales(answer):
    """Return how far each project is funded."""
    return {choice.project: choice.scale for choice in answer.allocation.choices}


def paid(answer):
    """Return what is paid by project and year."""
    return [(p.project, p.year, p.amount) for p in answer.allocation.payments]


def solved(given, engine="highs"):
    """Return an answer that is proved, and whose value compiler and verifier agree on."""
    answer = optimize(given, EXACT, engine)
    assert answer.status is Status.OPTIMAL
    compiled = compile_tables(given)
    assert compiled.value(compiled.point(answer.allocation)) == answer.value
    return answer
