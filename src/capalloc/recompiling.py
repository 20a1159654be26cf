"""The model of tables that differ from compiled ones in the amounts of envelopes only: the same rows, other rooms."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from capalloc.ceilings import find_carries, find_ceilings
from capalloc.compiling import Compiled, compile_tables
from capalloc.measures import read_rules
from capalloc.tables import Tables

# What a compiled model works out on first use, and does not owe to rooms.
_LASTING = ("classes", "_numbers")


def recompiled(known: Compiled | None, tables: Tables) -> Compiled:
    """Return compiled tables, from what is compiled already as far as that is the same."""
    if known is None:
        return compile_tables(tables)
    if known.tables is tables:
        return known
    moved = _with_rooms(known, tables) if differ_in_amounts(known.tables, tables) else None
    return compile_tables(tables) if moved is None else moved


def differ_in_amounts(known: Tables, tables: Tables) -> bool:
    """Return whether tables share every part with known ones but the amounts of their envelopes."""
    rest = (field.name for field in fields(Tables) if field.name != "envelopes")
    if not all(getattr(known, name) is getattr(tables, name) for name in rest):
        return False
    pairs = list(zip(known.envelopes, tables.envelopes, strict=False))
    return len(known.envelopes) == len(tables.envelopes) and all(
        old is new or replace(old, amount=new.amount) == new for old, new in pairs
    )


def _with_rooms(known: Compiled, tables: Tables) -> Compiled | None:
    """The model with the rooms of the tables; ``None`` where amounts count in more than rooms."""
    if any(measure.kind == "envelope" for rule in read_rules(tables) for measure, _ in rule.measures):
        return None
    ceilings = tuple(find_ceilings(tables))
    if known.accounts.carries or any(find_carries(tables, ceilings)):
        # How much may move hangs on the amounts, and so may which columns there are.
        return None
    kinds = np.concatenate([np.full(len(block.keys), block.kind == "envelope") for block in known.model.rows])
    upper = known.model.row_upper.copy()
    upper[kinds] = [float(ceiling.left) for ceiling in ceilings]
    moved = replace(
        known,
        tables=tables,
        accounts=replace(known.accounts, ceilings=ceilings),
        model=replace(known.model, row_upper=upper),
    )
    vars(moved).update({name: vars(known)[name] for name in _LASTING if name in vars(known)})
    return moved
