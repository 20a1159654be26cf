"""Inputs that are wrong, each small change to a small portfolio that is right, and what is said about them.

The files ``bad_inputs/*.toml`` hold a table for each input, named in words.  What is changed is one of these:

* ``settings``, ``projects`` or another table: the text of that file, in ``encoding`` where it is not UTF-8;
* ``setting``: a line more in the settings;
* ``column`` and ``cell``: one cell of the first project;
* ``selection``: which projects the state pays for;
* ``plan``, ``plan_without``, ``plan_choice``, ``plan_payment``, ``plan_cut``, ``plan_text``: the file of a plan;
* ``scenario``: the text of a scenario file beside the portfolio, ``samples`` that of the samples that it names;
  ``changes``: paths with their changes.

``tail`` adds a text so many times, again and again.  ``en`` and ``vi`` are what is said, one line a fault.
"""

import csv
import json
import tomllib
from functools import cache
from io import StringIO
from pathlib import Path

from capalloc import InvalidInput, load, load_plan
from capalloc.checking import check
from capalloc.loading import read_folder
from capalloc.model import SolveOptions
from capalloc.scenariofile import read_scenario_file
from capalloc.scenarios import resolve

FOLDER = Path(__file__).parent / "bad_inputs"
SETTINGS = "first_year = 2024\nlast_year = 2027\n"
PROJECT = {"id": "A", "name": "Đường A", "sector": "road", "priority": "1", "mandatory": "", "kind": "works"}
PROJECT |= {"status": "proposed", "duration": "2", "cost": "120", "value": "7", "latest_start": "2024", "profile": ""}
PROJECT |= {"min_scale": "", "basis": "assumed"}
OTHERS = ({"id": "B", "name": "Trường B", "sector": "school"}, {"id": "C", "name": "Cầu C", "value": "3"})
SOURCES = "id,side,eligible\nstate,state,{}\n"
ENVELOPES = "source,period,amount\nstate,2024:2027,300\n"


def bad_inputs():
    """Return the inputs of all files by name."""
    return {
        name: given
        for file in sorted(FOLDER.glob("*.toml"))
        for name, given in tomllib.loads(file.read_text(encoding="utf-8")).items()
    }


def csv_text(*rows):
    """Return rows, the first of which has every column, as CSV text."""
    text = StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def portfolio_files(given):
    """Return the files of the portfolio that an input makes, and of its scenarios, with their bytes."""
    tail = given.get("tail", [])
    more = "".join(text * count for text, count in zip(tail[::2], tail[1::2], strict=True))
    first = PROJECT | ({given["column"]: given["cell"]} if "cell" in given else {})
    line = StringIO()
    csv.writer(line, lineterminator="").writerow([given.get("selection", "") + more * ("selection" in given)])
    files = {
        "portfolio.toml": SETTINGS + given.get("setting", "") + "\n",
        "projects.csv": csv_text(first, *(PROJECT | other for other in OTHERS)),
        "sources.csv": SOURCES.format(line.getvalue()),
        "envelopes.csv": ENVELOPES,
    }
    data = {name: text.encode() for name, text in files.items()}
    # A CSV file in the folder of the portfolio would be taken for one of its tables.
    names = {"settings": "portfolio.toml", "scenario": "scenarios.toml", "samples": "samples.txt"}
    own = ("setting", "column", "cell", "selection", "changes", "tail", "encoding", "en", "vi")
    for key, text in given.items():
        if key not in own and not key.startswith("plan"):
            data[names.get(key, f"{key}.csv")] = (text + more).encode(given.get("encoding", "utf-8"))
    return data


@cache
def saved_plan():
    """Return the text of the plan of the portfolio that is right."""
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        for name, content in portfolio_files({}).items():
            (Path(place) / name).write_bytes(content)
        load(place).optimize(gap=0).save(Path(place) / "plan.json")
        return (Path(place) / "plan.json").read_text(encoding="utf-8")


def plan_bytes(given):
    """Return what stands in the file of a plan."""
    if "plan_text" in given:
        (text, count) = given.get("tail", ["", 0])
        return (given["plan_text"] + text * count).encode(given.get("encoding", "utf-8"))
    content = json.loads(saved_plan()) | given.get("plan", {})
    content.pop(given.get("plan_without", ""), None)
    for part, key in (("choices", "plan_choice"), ("payments", "plan_payment")):
        if key in given:
            content[part][0] |= given[key]
    text = json.dumps(content)
    return text[: int(len(text) * given.get("plan_cut", 1))].encode()


def answer(given, folder):
    """Return the errors that reading an input brings."""
    for name, content in portfolio_files(given).items():
        (folder / name).write_bytes(content)
    try:
        if any(key.startswith("plan") for key in given):
            (folder / "plan.json").write_bytes(plan_bytes(given))
            load_plan(folder / "plan.json", load(folder))
        elif "scenario" in given:
            base, written = read_scenario_file(folder / "scenarios.toml")
            portfolio = load(base)
            resolve(portfolio.tables, written, portfolio.fingerprint, SolveOptions(), "capalloc")
        elif "changes" in given:
            load(folder).with_changes(given["changes"])
        else:
            return check(*read_folder(folder)).errors
    except InvalidInput as wrong:
        return wrong.issues.errors
    return ()


def said(issue, folder=None):
    """Return where a fault is and what is said about it, without the folder that a test lies in."""
    text = f"{issue.where}: {issue.message}" if str(issue.where) else issue.message
    return text if folder is None else text.replace(f"{folder}/", "").replace(str(folder), "FOLDER")
