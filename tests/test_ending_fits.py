"""What is proved about whole amounts of programmes ends with the run: at its limit, and at Ctrl-C."""

from dataclasses import replace
from fractions import Fraction
from threading import Event

import capalloc.fitting
from capalloc.compiling import compile_tables
from capalloc.engines.highs import Highs
from capalloc.fitting import fit
from capalloc.model import SolveOptions, StoppedBy
from capalloc.solving import solve_compiled
from parts import EXACT, portfolio, programme


def in_odd_parts():
    """P and Q in sevenths and fifths: the relaxation promises more than whole amounts are worth."""
    return compile_tables(
        portfolio(
            programme("P", 7, 10, least=Fraction(1, 7), duration=2),
            programme("Q", 5, 9, least=Fraction(1, 5), duration=3),
            rooms={"2021": 3, "2022:2024": 5},
        )
    )


def limits_seen(monkeypatch):
    """The options of each program that is solved for whole amounts, and the stop sign it is given, as they come."""
    seen = []

    class Seen(Highs):
        def solve(self, model, options, *, start=None, progress=None, stop=None):
            seen.append((options, stop))
            return super().solve(model, options, start=start, progress=progress, stop=stop)

    monkeypatch.setattr(capalloc.fitting, "Highs", Seen)
    return seen


def test_little_time_left_is_not_stretched_to_prove_more(monkeypatch):
    """Where a whole plan is there, its proof takes the quarter of a second that is left and no longer."""
    compiled = in_odd_parts()
    point = Highs().solve(compiled.model, EXACT).x
    seen = limits_seen(monkeypatch)
    fit(compiled, point, SolveOptions(time_limit=0.25, gap=0.0))
    assert [options.time_limit for options, _ in seen if options.time_limit is not None] == [0.25]


def test_after_an_interrupt_nothing_more_is_proved(monkeypatch):
    """Ctrl-C in the engine leaves the time limit as it is, but the whole amounts found first must do."""

    class Interrupted(Highs):
        def solve(self, *given, **more):
            return replace(super().solve(*given, **more), stopped_by=StoppedBy.INTERRUPT)

    seen = limits_seen(monkeypatch)
    answer = solve_compiled(in_odd_parts(), EXACT, Interrupted())
    assert answer.value
    assert all(options.time_limit is None for options, _ in seen)


def test_the_stop_sign_reaches_the_proof_of_whole_amounts(monkeypatch):
    """The sign the run is given is the one the proof heeds."""
    stop = Event()
    seen = limits_seen(monkeypatch)
    solve_compiled(in_odd_parts(), EXACT, Highs(), stop=stop)
    assert any(given is stop for options, given in seen if options.time_limit is not None)
