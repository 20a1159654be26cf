"""What programs may rely on, one name a line; run as a script, with ``tests`` on the path, it writes ``public.txt``."""

import inspect
import re
from pathlib import Path

import typer

import capalloc
from capalloc.catalogue import texts
from capalloc.console import INTERRUPTED, NO_PLAN, WRONG_INPUT
from capalloc.records import SCHEMAS
from capalloc.settings import ObjectiveSettings, PhaseSettings, Settings
from capalloc.shell import app
from sample import SETTINGS, frames

ROOT = Path(__file__).parents[1]
STORED = Path(__file__).with_name("public.txt")

# Members that the modules of the package need of one another.
_INTERNAL = {"answer", "given", "ground", "tables"}

RULES = {"id": ["most"], "measure": ["starts"], "sense": ["<="], "amount": [3]}


def public():
    """Return the lines in order."""
    return sorted({*python(), *shell(), *settings(), *inputs(), *tables(), *codes()})


def python():
    """Yield the names of the package and of what its reference shows: members, parameters and words."""
    shown = re.findall(r"^::: ([\w.]+)", (ROOT / "docs" / "reference.md").read_text(encoding="utf-8"), re.MULTILINE)
    for name in {*capalloc.__all__, *(path.removeprefix("capalloc.") for path in shown)}:
        thing = capalloc
        for part in name.split("."):
            thing = getattr(thing, part)
        yield from _described(f"python {name}", thing)


def _described(name, thing):
    yield name
    if inspect.isfunction(thing):
        yield from (f"{name}({parameter})" for parameter in inspect.signature(thing).parameters if parameter != "self")
    elif inspect.isclass(thing) and not issubclass(thing, int):
        own = [base for base in thing.__mro__ if base.__module__.startswith("capalloc")]
        for member in {member for base in own for member in vars(base) if not member.startswith("_")} - _INTERNAL:
            held = getattr(thing, member)
            yield from _described(f"{name}.{member}", held if inspect.isfunction(held) else None)


def shell():
    """Yield commands, options, arguments and exit codes."""
    for name, command in typer.main.get_command(app).commands.items():
        yield f"shell {name}"
        for parameter in command.params:
            if parameter.param_type_name == "option":
                yield from (f"shell {name} {flag}" for flag in parameter.opts)
            else:
                yield f"shell {name} {parameter.metavar or parameter.name}"
    yield from (f"shell exit {code}" for code in (0, NO_PLAN, WRONG_INPUT, INTERRUPTED))


def settings():
    """Yield the settings."""
    for branch, model in {"": Settings, "objective.": ObjectiveSettings, "phases.": PhaseSettings}.items():
        yield from (f"setting {branch}{name}" for name in model.model_fields)


def inputs():
    """Yield the columns of the tables that are read, and their closed vocabularies."""
    for name, schema in SCHEMAS.items():
        yield f"read {name}"
        for heading, column in schema.columns.items():
            yield f"read {name}.{heading}"
            yield from (f"read {name}.{heading} {word}" for word in column.choices)


def tables():
    """Yield the columns of the tables of a plan."""
    sources = {
        "id": ["state", "oda", "own"],
        "side": ["state", "state", "non_state"],
        "unlimited": [False, False, True],
    }
    more = frames(
        sources=sources,
        targets={"indicator": ["km"], "by_year": [2030], "at_least": [0]},
        indicators={"id": ["km"]},
        rules=RULES,
    )
    wide = {"objective": {"goal": "lexicographic"}, "statutory": "vn-2026-2030"}
    plan = capalloc.Portfolio.from_tables(SETTINGS | wide, more).evaluate([])
    for name in plan.table_names:
        yield f"plan {name}"
        yield from (f"plan {name}.{column}" for column in plan.table(name).columns)


def codes():
    """Yield the codes of issues."""
    for key in texts("en"):
        if found := re.fullmatch(r"issue\.([\w-]+)\.message", key):
            yield f"issue {found[1]}"


if __name__ == "__main__":
    STORED.write_text("".join(f"{line}\n" for line in public()), encoding="utf-8")
