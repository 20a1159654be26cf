"""Command lines that cannot be read, answered in the language in force, and the headings of the help in it.

Typer says both in English only.  Its errors are known here by their names and their data, which are those of Click, so
that any version of either will do; what is not known is passed on as it was said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from capalloc.catalogue import has_text, say
from capalloc.issues import UnknownName

_EXTRA = re.compile(r"unexpected extra argument\S* \((.+)\)")

_HEADINGS = {
    "ARGUMENTS_PANEL_TITLE": "arguments",
    "OPTIONS_PANEL_TITLE": "options",
    "COMMANDS_PANEL_TITLE": "commands",
    "DEFAULT_STRING": "default",
    "REQUIRED_LONG_STRING": "required",
}


def explain(command: Any, *, within: str = "") -> None:
    """Give a command, its options and its subcommands their help texts in the language in force."""
    name = command.name if within else "capalloc"
    command.help = say(f"shell.command.{name}")
    command.options_metavar = say("shell.usage.metavar")
    if hasattr(command, "subcommand_metavar"):
        command.subcommand_metavar = say("shell.usage.metavar-command")
    for parameter in command.params:
        own = f"shell.option-of.{name}.{parameter.name}"
        if parameter.name != "help":
            parameter.help = say(own if has_text(own) else f"shell.option.{parameter.name}")
    _speak(command)
    for subcommand in getattr(command, "commands", {}).values():
        explain(subcommand, within=name)


def _speak(command: Any) -> None:
    """Let the line of usage and the option --help, which a command makes itself, be said in the language in force."""
    usage, help_option = command.get_usage, command.get_help_option

    def told(context: Any) -> str:
        return str(usage(context)).replace("Usage:", say("shell.usage.usage"), 1)

    def helped(context: Any) -> Any:
        option = help_option(context)
        if option is not None:
            option.help = say("shell.option.help")
        return option

    command.get_usage, command.get_help_option = told, helped


def head_help() -> None:
    """Give the parts of the help their headings in the language in force."""
    # Rich takes long to import, and only the help needs it.
    from typer import rich_utils

    for constant, key in _HEADINGS.items():
        if hasattr(rich_utils, constant):
            setattr(rich_utils, constant, say(f"shell.usage.{key}"))


def refusal(fault: Any, arguments: Sequence[str]) -> str:
    """Return what is wrong with a command line, and where its help is.

    Parameters
    ----------
    fault
        The error that Typer raised.
    arguments
        What was typed after the name of the program.
    """
    context = fault.ctx
    path = context.command_path if context is not None else "capalloc"
    return f"{_wrong(fault, arguments)}\n{say('shell.usage.help', command=path)}"


def _wrong(fault: Any, arguments: Sequence[str]) -> str:
    kind, context = type(fault).__name__, fault.ctx
    commands = getattr(context.command, "commands", {}) if context is not None else {}
    typed = next((word for word in arguments if not word.startswith("-")), None)
    if kind == "NoSuchOption":
        return _no_option(fault, commands.values())
    if commands and typed is not None and typed not in commands:
        return str(UnknownName("command", typed, commands))
    if kind in ("MissingParameter", "BadParameter") and fault.param is not None:
        return _bad_parameter(fault.param, kind, arguments)
    if kind == "BadOptionUsage":
        return say("shell.usage.option", name=fault.option_name)
    extra = _EXTRA.search(fault.format_message())
    return say("shell.usage.extra", found=extra[1]) if extra else say("shell.usage.other", text=fault.format_message())


def _no_option(fault: Any, commands: Iterable[Any]) -> str:
    if any(fault.option_name in parameter.opts for command in commands for parameter in command.params):
        return say("shell.usage.later", name=fault.option_name)
    known = [name for parameter in fault.ctx.command.params for name in parameter.opts if name.startswith("--")]
    begun = next((name for name in known if name.startswith(fault.option_name)), None)
    if begun is not None:
        return say("error.unknown-name-near", kind=say("word.option"), found=fault.option_name, near=begun)
    return str(UnknownName("option", fault.option_name, known))


def _bad_parameter(parameter: Any, kind: str, arguments: Sequence[str]) -> str:
    told = {"name": _called(parameter), "about": parameter.help or ""}
    if kind == "MissingParameter":
        return say("shell.usage.missing", **told)
    found = _given(parameter, arguments)
    return say("shell.usage.wrong", found=found, **told) if found else say("shell.usage.wrong-unseen", **told)


def _called(parameter: Any) -> str:
    """What a parameter is called on the command line."""
    option = next((name for name in parameter.opts if name.startswith("--")), None)
    return option or parameter.metavar or str(parameter.name).upper()


def _given(parameter: Any, arguments: Sequence[str]) -> str:
    """What was given to an option; nothing where it is not found."""
    for name in parameter.opts:
        found = [after for before, after in pairwise(arguments) if before == name]
        found += [word.partition("=")[2] for word in arguments if word.startswith(f"{name}=")]
        if found:
            return found[-1]
    return ""
