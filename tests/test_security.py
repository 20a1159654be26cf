"""What the code never does: run data as code, unpickle, speak to a network, write but from one place."""

import ast

import pytest

from test_architecture import MODULES, tree_of

RUNS_DATA = {"eval", "exec", "compile", "__import__", "breakpoint", "input"}
UNSAFE = {
    "pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml", "code", "runpy",
    "importlib.util", "pty", "ctypes", "xml.etree.ElementTree", "xml.dom", "xml.sax",
}  # fmt: skip
NETWORK = {
    "socket", "socketserver", "ssl", "http", "urllib.request", "urllib3", "requests", "httpx", "aiohttp", "ftplib",
    "smtplib", "poplib", "imaplib", "telnetlib", "xmlrpc", "webbrowser", "asyncio", "websockets",
}  # fmt: skip
# A cluster is the one thing reached over a network, at the address that the user gives.
NETWORK_BY_REQUEST = {"clusters": {"distributed"}}
# Programs started: CBC on a file in a folder of its own, and workers that are this very Python.
STARTS_PROGRAMS = {"engines.cbc", "workforce"}
# What opens a file to write: the one place, the log of CBC in its temporary folder, the stream that answers go to.
OPENS_TO_WRITE = {"writing", "engines.cbc", "serving"}
WRITING_METHODS = {"write_text", "write_bytes", "touch", "symlink_to", "hardlink_to"}


def imported(module):
    """Return the dotted names that a module imports, in functions and for type checking too."""
    names = set()
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def among(names, banned):
    """Return the names that are, or lie in, a banned package."""
    return {name for name in names if any(name == one or name.startswith(f"{one}.") for one in banned)}


def calls(module):
    """Return the calls of a module, each with the name called and the object it is called on."""
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Name):
                yield node, "", function.id
            elif isinstance(function, ast.Attribute):
                yield node, ast.unparse(function.value), function.attr


@pytest.mark.parametrize("module", MODULES)
def test_nothing_read_is_ever_run_or_unpickled(module):
    """A selection, a cell or a file can at worst be wrong."""
    assert {name for _, owner, name in calls(module) if not owner and name in RUNS_DATA} == set()
    assert among(imported(module), UNSAFE) == set()
    assert [name for _, _, name in calls(module) if name in ("read_pickle", "to_pickle", "literal_eval")] == []


@pytest.mark.parametrize("module", MODULES)
def test_nothing_speaks_to_a_network(module):
    """But for the cluster that a user names."""
    assert among(imported(module), NETWORK) == set()
    reached = {name.partition(".")[0] for name in among(imported(module), {"distributed", "dask"})}
    assert reached <= NETWORK_BY_REQUEST.get(module, set())


@pytest.mark.parametrize("module", MODULES)
def test_programs_are_started_without_a_shell(module):
    """Nothing that a file says becomes a command line."""
    if module not in STARTS_PROGRAMS:
        assert among(imported(module), {"subprocess", "multiprocessing"}) == set()
    of_system = [name for _, owner, name in calls(module) if owner == "os"]
    assert [name for name in of_system if name.startswith(("system", "popen", "exec", "spawn", "posix_spawn"))] == []
    assert [node.lineno for node, _, _ in calls(module) for word in node.keywords if word.arg == "shell"] == []


@pytest.mark.parametrize("module", MODULES)
def test_files_are_written_from_one_place(module):
    """There they are written whole or not at all."""
    if module in OPENS_TO_WRITE:
        return
    found = [name for _, _, name in calls(module) if name in WRITING_METHODS]
    for node, _, name in calls(module):
        words = [*node.args[:2], *(word.value for word in node.keywords if word.arg == "mode")]
        modes = [word.value for word in words if isinstance(word, ast.Constant) and isinstance(word.value, str)]
        if name in ("open", "fdopen") and any(set(mode) & set("wax+") and len(mode) <= 3 for mode in modes):
            found.append(name)
    assert found == []


def test_the_lists_above_name_what_there_is():
    """An exception for a module that no longer needs it would hide the next one."""
    assert {*STARTS_PROGRAMS, *OPENS_TO_WRITE, *NETWORK_BY_REQUEST} <= set(MODULES)
    assert all(among(imported(module), {"subprocess", "multiprocessing"}) for module in STARTS_PROGRAMS)
