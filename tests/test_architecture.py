"""What the layout promises: the order of the layers, the public surface, the message catalogue."""

import ast
import json
import math
import subprocess
import sys
import tomllib
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

import pytest

import capalloc

SOURCE = Path(__file__).parents[1] / "src" / "capalloc"

# Reading order. A module imports only modules that stand before it, in its own line too.
LAYERS = (
    ("check_certificate",),
    ("catalogue", "issues", "money", "formats"),
    ("arguments", "characters", "writing", "processes"),
    ("schema", "settings", "records", "tables", "selection", "allocation", "audit", "measures"),
    ("model",),
    ("rawtable", "reading", "configuring", "loading"),
    (
        "excel",
        "excel.naming",
        "excel.scanning",
        "excel.opening",
        "excel.hiding",
        "excel.appearance",
        "excel.sheets",
        "excel.workbook",
    ),
    ("costing", "history", "options", "classes", "ceilings"),
    ("law", "law.statutes", "law.grouping", "law.enacting", "law.compliance"),
    ("consequences",),
    (
        "checks.references",
        "checks.past",
        "checks.timing",
        "checks.lookalikes",
        "checks.opposing",
        "checks.lettering",
        "checks.amounts",
        "checks.prices",
        "checks.ordering",
        "checks.scoring",
        "checks.funding",
        "checks.lawful",
        "checks.passing",
        "checks.history",
        "checks.flexible",
        "checks.programmes",
        "checks.ruling",
        "checks.usage",
        "checks",
        "checking",
    ),
    (
        "payers",
        "rows",
        "programmes",
        "accounts",
        "limiting",
        "balancing",
        "flexible",
        "scaled_shares",
        "sequencing",
        "sums",
        "extras",
        "compiling",
        "recompiling",
    ),
    ("engines.points", "engines.threads", "engines.base", "engines.scaling", "engines.highs", "engines.exact_simplex"),
    (
        "engines.own.structure",
        "engines.own.presolve",
        "engines.own.pooling",
        "engines.own.eliminating",
        "engines.own.lightening",
        "engines.own.blocks",
        "engines.own.problem",
        "engines.own.board",
        "engines.own.selecting",
        "engines.own.turns",
    ),
    (
        "engines.own.simplex",
        "engines.own.sifting",
        "engines.own.diving",
        "engines.own.rounding",
        "engines.own.restricted",
        "engines.own.neighbourhoods",
    ),
    (
        "engines.own.exchange",
        "engines.own.fitting",
        "engines.own.walking",
        "engines.own.opening",
        "engines.own.sieving",
        "engines.own.deepening",
    ),
    ("engines.own.improver", "engines.own.cores", "engines.own.prover", "engines.own.engine"),
    ("engines.own.memory", "engines.own.remembering", "engines.own"),
    ("engines.enumeration", "engines.naming", "engines.cbc", "engines.pulp_bridge", "engines.mps", "engines"),
    ("fitting", "financing"),
    ("past", "recount", "bookkeeping", "scales", "rooms", "tallies", "verification"),
    ("answer", "searching", "holding", "lexicographic", "pareto", "solving", "chaining"),
    ("elasticity", "evaluation", "screening"),
    ("paths", "changes", "groundwork"),
    ("progress",),
    ("leverage", "framing", "wording", "law.lawbook", "rulebook", "reporting"),
    ("storing", "packing", "stack"),
    ("excel.styles", "excel.inputs", "excel.templates", "excel.marking"),
    ("budget", "telling", "amending"),
    ("limits", "listing"),
    ("reducing", "asking", "canonical", "amounts", "statements", "breaching", "conflict", "whynot", "why", "worth"),
    ("steps", "frontier"),
    ("tornado", "stress", "steadiness", "core", "replan", "protection", "bearing", "robust", "defending"),
    ("drawing", "figures", "sensitivity_figures", "run_figures", "plotting"),
    (
        "report",
        "report.pieces",
        "report.quality",
        "report.summary",
        "report.plan_chapters",
        "report.project_chapters",
        "report.proof_chapters",
        "report.answer_chapters",
        "report.page",
        "report.documents",
        "report.run_chapters",
        "excel.annex",
        "excel.money_annexes",
        "excel.other_annexes",
        "excel.writing",
        "showing",
    ),
    ("effort", "relaxing", "combining", "cutting", "partition", "certifying", "confirming", "evidence", "proving"),
    ("plantables",),
    ("plan",),
    ("front",),
    ("comparing",),
    ("alternatives", "explaining"),
    ("probing", "sensitivity"),
    ("exporting",),
    ("portfolio",),
    ("series",),
    ("scenariofile", "scenarios", "runstore"),
    ("working", "serving", "workforce", "clusters"),
    ("differing", "runtables", "runshow", "runs", "headway", "running"),
    ("interrupting", "console", "commandline"),
    ("shell",),
    ("__main__",),
    ("",),  # the package itself
)
ORDER = [module for layer in LAYERS for module in layer]

VERIFIER_MAY_IMPORT = {
    "catalogue",
    "issues",
    "money",
    "schema",
    "settings",
    "records",
    "tables",
    "selection",
    "allocation",
    "audit",
}
VERIFIER = {"past", "recount", "bookkeeping", "scales", "rooms", "tallies", "verification"}
VERIFIER_MAY_NOT_REACH = {
    "model",
    "costing",
    "history",
    "options",
    "classes",
    "payers",
    "checking",
    "ceilings",
    "accounts",
    "flexible",
    "measures",
    "extras",
    "rulebook",
    "compiling",
    "engines",
    "financing",
    "searching",
    "lexicographic",
    "solving",
    "chaining",
}
ENGINES_MAY_IMPORT = {"catalogue", "issues", "model", "processes", "engines"}

HEAVY = {"altair", "highspy", "jinja2", "networkx", "pandas", "pulp", "rich", "scipy", "typer", "vl_convert"}
HEAVY |= {"distributed", "openpyxl", "pyarrow", "python_calamine", "xlsxwriter"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    """Return the module's dotted name below ``capalloc``; the package itself is the empty text."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(SOURCE.rglob("*.py"))}


@cache
def tree_of(module: str) -> ast.Module:
    """Return the parsed module."""
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def first_party(node: ast.AST, module: str) -> Iterator[str]:
    """Yield the capalloc modules that one import statement names."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            root, _, rest = alias.name.partition(".")
            if root == "capalloc":
                yield rest
    elif isinstance(node, ast.ImportFrom):
        root, _, base = absolute(node, module).partition(".")
        if root == "capalloc":
            for alias in node.names:
                inner = f"{base}.{alias.name}" if base else alias.name
                yield inner if inner in MODULES else base


def absolute(node: ast.ImportFrom, module: str) -> str:
    """Return the full name of the module that ``from … import`` names, also for a relative import."""
    if not node.level:
        return node.module or ""
    parts = ["capalloc", *filter(None, module.split("."))]
    is_package = MODULES[module].name == "__init__.py"
    parts = parts[: len(parts) - node.level + is_package]
    return ".".join([*parts, *filter(None, [node.module])])


@cache
def imports(module: str) -> frozenset[str]:
    """Return the capalloc modules that a module names in any import, for type checking too."""
    return frozenset(name for node in ast.walk(tree_of(module)) for name in first_party(node, module)) - {module}


def reached(module: str) -> set[str]:
    """Return every capalloc module that a module imports, directly or through others."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        fresh = imports(waiting.pop()) - seen
        seen |= fresh
        waiting.extend(fresh)
    return seen


def top(modules: set[str] | frozenset[str]) -> set[str]:
    """Return the first parts of dotted module names."""
    return {module.partition(".")[0] for module in modules}


def functions(module: str) -> Iterator[Function]:
    """Yield every function and method of a module."""
    for node in ast.walk(tree_of(module)):
        if isinstance(node, Function):
            yield node


def length_of(function: Function) -> int:
    """Return how many lines a function takes, from ``def`` to its end, without its docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_a_place_in_the_reading_order(module):
    """A new module must say where it stands before it is merged."""
    assert module in ORDER, f"capalloc.{module} is in no layer: add it to LAYERS in {Path(__file__).name}"


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_only_backwards(module):
    """A module knows only what stands before it, so there is no import cycle either."""
    position = {name: place for place, name in enumerate(ORDER)}
    forward = sorted(name for name in imports(module) if position.get(name, 0) >= position.get(module, len(ORDER)))
    assert forward == [], f"capalloc.{module} imports what comes after it: {forward}"


def test_there_is_no_import_cycle():
    """No module reaches itself through its imports, whatever the declared order says."""
    assert [module for module in MODULES if module in reached(module)] == []


@pytest.mark.parametrize("module", MODULES)
def test_no_first_party_import_hides_in_a_function(module):
    """An import inside a function would dodge the order that this file holds."""
    hidden = [
        f"{function.name}: {name or 'capalloc'}"
        for function in functions(module)
        for node in ast.walk(function)
        for name in first_party(node, module)
    ]
    assert hidden == []


def test_the_verifier_is_independent():
    """The verifier shares no code with the compiler, the engines and the choice of whole units that it checks."""
    direct = frozenset().union(*(imports(module) for module in VERIFIER))
    assert direct <= VERIFIER_MAY_IMPORT | VERIFIER
    assert top(reached("verification")).isdisjoint(VERIFIER_MAY_NOT_REACH)


def test_engines_know_no_domain():
    """An engine sees arrays: no project, source or envelope."""
    engines = [module for module in MODULES if top({module}) == {"engines"}]
    assert "engines.base" in engines
    assert {module: imports(module) for module in engines if not top(imports(module)) <= ENGINES_MAY_IMPORT} == {}


def test_the_model_knows_nothing_of_the_domain():
    """The arrays between compiler and engine import no module of the package but the errors."""
    assert imports("model") <= {"catalogue", "issues"}


@pytest.mark.parametrize("module", MODULES)
def test_a_file_stays_under_five_hundred_lines(module):
    """A longer file holds more than one main thing."""
    assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) < 500


def test_a_function_fits_on_a_screen():
    """Nine functions in ten take at most 30 lines without their docstring, and none takes more than 60."""
    lengths = [(length_of(function), module, function.name) for module in MODULES for function in functions(module)]
    assert [entry for entry in lengths if entry[0] > 60] == []
    ordered = sorted(length for length, _, _ in lengths)
    assert ordered[math.ceil(0.9 * len(ordered)) - 1] <= 30


def test_import_stays_light():
    """``import capalloc`` loads none of the heavy packages, so that a script and ``--help`` start at once."""
    code = "import json, sys, capalloc; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY.isdisjoint(json.loads(run.stdout))


def test_public_names_are_sorted_few_and_importable():
    """The public surface is what ``__all__`` says, short enough to read."""
    assert capalloc.__all__ == sorted(capalloc.__all__)
    assert len(capalloc.__all__) <= 30
    assert [name for name in capalloc.__all__ if not hasattr(capalloc, name)] == []


# The catalogue. Texts are said by `say(key, …)`; an issue made by `error`, `warning` or `info` says two of them.
SPEAKERS = {"say", "error", "warning", "info"}


@cache
def topics(lang: str) -> dict[str, dict[str, str]]:
    """Return the texts of one language by file and dotted key, read straight from its files."""
    files = sorted((SOURCE / "catalogue" / lang).glob("*.toml"))
    return {file.name: dict(flattened("", tomllib.loads(file.read_text(encoding="utf-8")))) for file in files}


@cache
def texts(lang: str) -> dict[str, str]:
    """Return all texts of one language by dotted key."""
    return {key: text for topic in topics(lang).values() for key, text in topic.items()}


def flattened(prefix: str, tree: dict[str, object]) -> Iterator[tuple[str, str]]:
    """Yield dotted keys and their texts."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from flattened(f"{prefix}{key}.", value)
        else:
            assert isinstance(value, str), f"{prefix}{key} is not a text"
            yield f"{prefix}{key}", value


def place_holders(text: str) -> set[str]:
    """Return the names in braces, with the format each asks for; words chosen by a number are not compared."""
    fields = {(name, form or "") for _, name, form, _ in Formatter().parse(text) if name is not None}
    return {f"{name}:{form}" if form else name for name, form in fields if "|" not in form}


def names_in(text: str) -> set[str]:
    """Return the names in braces, without attributes and formats."""
    return {name.partition(":")[0].partition(".")[0].partition("[")[0] for name in place_holders(text)}


def spoken(module: str) -> Iterator[tuple[ast.Call, tuple[str, ...]]]:
    """Yield each call that says a text by a literal name, with the keys it says."""
    for node in ast.walk(tree_of(module)):
        if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
            continue
        speaker, literal = node.func, node.args[0].value
        name = speaker.id if isinstance(speaker, ast.Name) else ""
        if isinstance(speaker, ast.Attribute) and isinstance(speaker.value, ast.Name):
            name = speaker.attr if speaker.value.id in ("catalogue", "issues") else ""
        if name in SPEAKERS and isinstance(literal, str):
            keys = (literal,) if name == "say" else (f"issue.{literal}.message", f"issue.{literal}.remedy")
            yield node, keys


def test_both_languages_say_the_same_things():
    """Every text exists in Vietnamese and in English, in files of the same name, with the same place holders."""
    keys = {lang: {name: sorted(topic) for name, topic in topics(lang).items()} for lang in ("en", "vi")}
    assert keys["en"] == keys["vi"]
    english, vietnamese = texts("en"), texts("vi")
    different = [key for key in english if place_holders(english[key]) != place_holders(vietnamese[key])]
    assert different == []


def test_no_text_is_given_twice():
    """A key that stood in two files would take its text from one of them in silence."""
    assert sum(len(topic) for topic in topics("en").values()) == len(texts("en"))


@pytest.mark.parametrize("lang", ["en", "vi"])
def test_texts_are_composed_and_not_empty(lang):
    """Text is in Unicode form NFC, so that searching and sorting it work, and says something."""
    wrong = [key for key, text in texts(lang).items() if not text.strip() or not unicodedata.is_normalized("NFC", text)]
    assert wrong == []


@pytest.mark.parametrize("module", MODULES)
def test_every_text_said_exists_and_gets_its_arguments(module):
    """A key written in the code is in the catalogue, and the call gives every name its text asks for."""
    wrong = []
    for call, keys in spoken(module):
        given = {keyword.arg for keyword in call.keywords}
        for key in keys:
            if key not in texts("en"):
                wrong.append(f"line {call.lineno}: no text {key}")
            elif None not in given and not names_in(texts("en")[key]) <= given:
                wrong.append(f"line {call.lineno}: {key} needs {sorted(names_in(texts('en')[key]) - given)}")
    assert wrong == []


def test_every_text_is_said_somewhere():
    """A text whose name, or the fixed beginning of whose name, no module writes is dead."""
    nodes = [node for module in MODULES for node in ast.walk(tree_of(module))]
    written = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    openings = [node.values[0] for node in nodes if isinstance(node, ast.JoinedStr)]
    # The issues themselves open with "issue."; their codes must be written out.
    prefixes = tuple({part.value for part in openings if isinstance(part, ast.Constant)} - {"issue."})
    codes = {
        key: key.removeprefix("issue.").rpartition(".")[0] if key.startswith("issue.") else key for key in texts("en")
    }
    assert [key for key, code in codes.items() if code not in written and not code.startswith(prefixes)] == []
