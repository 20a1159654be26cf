"""Certificates of plans: what they confirm, and that nothing in them can be changed without being told."""

import ast
import copy
import json
import math
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import capalloc
from brute import best_by_enumeration
from capalloc import CapallocError, InvalidInput
from capalloc.certifying import certify
from capalloc.check_certificate import MESSAGES, Refused, check, digest
from capalloc.confirming import confirm
from capalloc.model import SolveOptions, Status
from capalloc.solving import optimize
from few import few
from sample import sample
from strategies import cases, portfolios

ROOT = Path(__file__).parents[1]
CHECKER = ROOT / "tools" / "check_certificate.py"
EXACT = SolveOptions(time_limit=60, gap=0.0, threads=1)
# What fills the room to the end takes a part of a project, so that the relaxation is worth more than any plan.
ODD = {f"P{n}": {"cost": 7 + 2 * n, "value": 110 + 31 * n, "latest_start": 2026} for n in range(6)}


@pytest.fixture(scope="module")
def certificate():
    """Return the certificate of the sample's best plan, which is worth 16."""
    portfolio = sample()
    return certify(portfolio.tables, portfolio.optimize(threads=1).answer, 20, None)


def written(folder, certificate):
    """Write a certificate as it stands and return its path."""
    path = folder / "plan.cert.json"
    path.write_text(json.dumps(certificate, ensure_ascii=False), encoding="utf-8")
    return path


def rehashed(certificate):
    """Return a certificate whose hashes are those of its parts, as a forger would write them."""
    certificate["hashes"] = {name: digest(certificate[name]) for name in certificate["hashes"]}
    return certificate


def run(path, *flags):
    """Run the stand-alone checker with nothing but Python."""
    command = [sys.executable, "-I", "-S", str(CHECKER), *flags, str(path)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


def refused(certificate):
    """Return the code with which a certificate is refused."""
    with pytest.raises(Refused) as refusal:
        check(certificate)
    return refusal.value.code


def test_the_checker_stands_alone_and_is_short():
    """It names nothing but the standard library and has fewer than 300 lines that are not empty."""
    text = CHECKER.read_text(encoding="utf-8")
    nodes = list(ast.walk(ast.parse(text)))
    named = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in named} <= sys.stdlib_module_names
    assert sum(bool(line.strip()) for line in text.splitlines()) < 300


def test_the_checker_confirms_value_bound_and_gap_without_any_package(tmp_path, certificate):
    """With site packages shut out it prints what it found and answers 0."""
    done = run(written(tmp_path, certificate))
    assert (done.returncode, done.stderr) == (0, "")
    assert "the plan keeps every row and is worth 16.0: confirmed" in done.stdout
    assert "no plan is worth more than 16.0: confirmed" in done.stdout
    assert "gap confirmed 0.0 %, gap claimed 0.0 %" in done.stdout


def test_plan_certificate_writes_what_confirm_reads(tmp_path):
    """The answer says what was confirmed; held against the tables the same is confirmed."""
    portfolio = few(ODD, 38)
    plan = portfolio.optimize(gap=0.0)
    answer = plan.certificate(tmp_path / "plan.cert.json")
    found = confirm(tmp_path / "plan.cert.json", portfolio.tables)
    assert answer.proofs == found.proofs
    assert (answer.from_tables, found.from_tables) == (False, True)
    assert [(proof.value, proof.bound) for proof in found.proofs] == [(plan.value, plan.value)]
    assert found.gap == 0
    assert "was verified on the tables" in str(found)
    assert "Gap confirmed: 0%." in str(found)


def test_the_partition_confirms_more_than_the_relaxation():
    """With one part the bound is that of the relaxation; dividing closes the gap to the value."""
    portfolio = few(ODD, 38)
    answer = portfolio.optimize(gap=0.0).answer
    bounds = [check(certify(portfolio.tables, answer, leaves, None, 0))[0].bound for leaves in (1, 50)]
    assert bounds[0] > bounds[1] == answer.value


def test_the_same_plan_gives_the_same_bytes(tmp_path):
    """Nothing in a certificate depends on the clock."""
    plan = few(ODD, 38).optimize(gap=0.0, threads=1)
    for name in ("one", "other"):
        plan.certificate(tmp_path / name, leaves=10)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_no_digit_of_a_certificate_can_be_changed(certificate):
    """Each digit of the file, changed alone, makes it refused: of the version, model, plan, a multiplier or a hash."""
    text = json.dumps(certificate, ensure_ascii=False)
    places = [place for place, sign in enumerate(text) if sign in "0123456789"]
    passed = []
    for place in places:
        changed = text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]
        try:
            check(json.loads(changed))
            passed.append(text[place - 20 : place + 20])
        except (Refused, KeyError, json.JSONDecodeError):
            continue
    assert len(places) > 400
    assert passed == []


def swap_choice(certificate):
    """List another project than the point takes."""
    certificate["plan"]["choices"][0][0] = "C"


def pay_more(certificate):
    """Let the plan's point pay one million more than a project costs."""
    column = next(c for c, name in enumerate(certificate["model"]["columns"]) if name[0] == "payment")
    point = dict(map(tuple, certificate["plan"]["point"]))
    point[column] = point.get(column, 0) + 1
    certificate["plan"]["point"] = sorted(map(list, point.items()))


def take_half(certificate):
    """Let the plan's point take half of an option."""
    certificate["plan"]["point"][0][1] = "1/2"


def take_twice(certificate):
    """Let the plan's point take an option twice."""
    certificate["plan"]["point"][0][1] = 2


def claim_more(certificate):
    """Claim a greater value."""
    certificate["proofs"][0]["value"] = "17"


def leave_a_part_out(certificate):
    """Divide the points and give one of the two parts only."""
    leaf = certificate["proofs"][0]["nodes"].pop()
    certificate["proofs"][0]["nodes"] = [{"split": [0], "at": 0, "low": 1, "high": 2}, leaf]


def count_a_part_twice(certificate):
    """Divide the points and give the same part for both."""
    leaf = certificate["proofs"][0]["nodes"].pop()
    certificate["proofs"][0]["nodes"] = [{"split": [0], "at": 0, "low": 1, "high": 1}, leaf]


def divide_by_money(certificate):
    """Divide the points by an amount of money, which may lie between k and k + 1."""
    column = next(c for c, name in enumerate(certificate["model"]["columns"]) if name[0] == "payment")
    leaf = {"empty": False, "scale": 1, "rows": []}
    certificate["proofs"][0]["nodes"] = [{"split": [column], "at": 0, "low": 1, "high": 2}, leaf, leaf]


def rule_all_out(certificate):
    """Say without a reason that there is no point at all."""
    certificate["proofs"][0]["nodes"] = [{"empty": True, "scale": 1, "rows": []}]


def count_on_an_open_side(certificate):
    """Give an envelope, which is no lower bound, a multiplier below 0."""
    rows = certificate["model"]["rows"]
    row = next(n for n, row in enumerate(rows) if row["lower"] is None)
    certificate["proofs"][0]["nodes"] = [{"empty": False, "scale": 1, "rows": [[row, -1]]}]


def divide_by_nothing(certificate):
    """Give multipliers over 0."""
    certificate["proofs"][0]["nodes"] = [{"empty": False, "scale": 0, "rows": []}]


FORGERIES = {
    swap_choice: "choices",
    pay_more: "row",
    take_half: "bounds",
    take_twice: "bounds",
    claim_more: "value",
    leave_a_part_out: "tree",
    count_a_part_twice: "tree",
    divide_by_money: "split",
    rule_all_out: "not-empty",
    count_on_an_open_side: "open-side",
    divide_by_nothing: "shape",
}


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_a_forger_who_writes_new_hashes_is_refused_by_the_numbers(forge, certificate):
    """What is not true cannot be proved, whoever writes it."""
    forged = copy.deepcopy(certificate)
    forge(forged)
    assert refused(rehashed(forged)) == FORGERIES[forge]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_multipliers_prove_a_bound_below_the_best_plan(certificate, data):
    """Whatever numbers stand for multipliers: they are refused, or what they prove is true."""
    forged = copy.deepcopy(certificate)
    rows = len(forged["model"]["rows"])
    numbers = st.integers(-50, 50)
    pairs = data.draw(st.lists(st.tuples(st.integers(0, rows - 1), numbers), max_size=8))
    leaf = {"empty": data.draw(st.booleans()), "scale": data.draw(st.integers(1, 9)), "rows": [list(p) for p in pairs]}
    forged["proofs"][0]["nodes"] = [leaf]
    try:
        bound = check(rehashed(forged))[0].bound
    except Refused as refusal:
        bound = 16 if refusal.code in ("open-side", "not-empty") else 0
    assert bound >= 16


@cases(40)
@given(tables=portfolios())
def test_random_portfolios_are_certified_and_no_bound_is_below_the_best_plan(tables):
    """The plan is confirmed, and what is proved is true of the best plan that trying everything finds."""
    answer = optimize(tables, EXACT, "highs")
    assume(answer.allocation is not None or answer.status is Status.INFEASIBLE)
    found = check(certify(tables, answer, 20, None))
    if answer.audit is None:
        assert best_by_enumeration(tables) is None
        return
    assert found[-1].value == answer.value
    for proof, claimed in zip(found, answer.classes or [answer], strict=False):
        assert proof.bound >= proof.value
        assert tables.settings.objective.goal == "lexicographic" or claimed.value == proof.value


def test_ordered_classes_have_a_proof_each():
    """Class 1 is bounded alone, class 2 with class 1 held; the second proof names what it holds."""
    projects = {name: row | {"priority": 1 + n % 2} for n, (name, row) in enumerate(ODD.items())}
    portfolio = few(projects, 38, {"objective": {"goal": "lexicographic"}})
    plan = portfolio.optimize(gap=0.0)
    certificate = certify(portfolio.tables, plan.answer, 50, None)
    found = check(certificate)
    assert [(p.class_, p.value, p.bound) for p in found] == [(c.class_, c.value, c.bound) for c in plan.answer.classes]
    assert [len(proof["held"]) for proof in certificate["proofs"]] == [0, 1]
    forged = copy.deepcopy(certificate)
    held = forged["proofs"][1]["held"][0]
    held["lower"] += 1
    assert refused(rehashed(forged)) == "held"


def test_that_there_is_no_plan_is_proved_part_by_part(tmp_path):
    """Of three projects of 6 two must be funded from 10: no choice of two can be paid, and each needs its reason."""
    projects = {name: {"cost": 6, "value": 1, "latest_start": 2026} for name in "ABC"}
    groups = {"group": ["two"] * 3, "project": list("ABC"), "kind": ["at_least"] * 3, "k": [2] * 3}
    portfolio = few(projects, 10, groups=groups)
    plan = portfolio.optimize()
    assert plan.status is Status.INFEASIBLE
    found = plan.certificate(tmp_path / "none.cert.json")
    assert found.holds
    assert [(proof.value, proof.bound) for proof in found.proofs] == [(None, None)]
    assert "confirmed that no plan exists" in str(found)
    assert "no plan exists: confirmed" in run(tmp_path / "none.cert.json").stdout
    assert confirm(tmp_path / "none.cert.json", portfolio.tables).holds


def test_that_there_is_no_plan_may_remain_open(tmp_path):
    """Of each two of three exactly one: halves would do, so that one part without cuts is too few, and a few do."""
    projects = {name: {"cost": 1, "value": 1, "latest_start": 2026} for name in "ABC"}
    groups = {"group": ["AB", "AB", "BC", "BC", "CA", "CA"], "project": list("ABBCCA"), "kind": ["exactly_one_of"] * 6}
    plan = few(projects, 10, groups=groups).optimize()
    path = tmp_path / "none.cert.json"
    open_ = plan.certificate(path, leaves=1, rounds=0)
    assert (plan.status, open_.holds, run(path).returncode) == (Status.INFEASIBLE, False, 1)
    assert "not confirmed that no plan exists" in str(open_)
    assert "no plan exists: NOT confirmed" in run(path).stdout
    assert plan.certificate(path).holds
    assert run(path).returncode == 0


HOSTILE = {
    "nothing": b"",
    "no JSON": b"{",
    "another encoding": '{"é": 1}'.encode("latin-1"),
    "another format": b'{"format": "x"}',
    "no number": b'{"format": NaN}',
    "a float": b'{"format": 1.5}',
    "a name twice": b'{"format": 1, "format": 1}',
    "a deep nest": b"[" * 200_000,
    "a long number": b'{"format": ' + b"9" * 100_000 + b"}",
    "a list": b"[]",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_certificate_is_refused_in_a_sentence(name, tmp_path):
    """The checker answers 2 and says why, without a traceback."""
    path = tmp_path / "plan.cert.json"
    path.write_bytes(HOSTILE[name])
    done = run(path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("REFUSED: The file")
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_is_missing_and_a_wrong_command_line_answer_2(tmp_path):
    """As for every other tool, 2 says that the call is wrong."""
    assert run(tmp_path / "none.json").returncode == 2
    assert run(tmp_path, "--what").stderr == "usage: check_certificate.py plan.cert.json\n"


SENSELESS = [None, True, -1, "x", "1/0", "9" * 500, [], {}, [[0, 1], [0, 1]], [["a", 1]], [[10**6, 1]], 10**400]


@pytest.mark.parametrize(
    "place", [("model", "upper"), ("plan", "point"), ("proofs", 0, "objective"), ("proofs", 0, "nodes")]
)
@pytest.mark.parametrize("found", SENSELESS, ids=repr)
def test_parts_of_the_wrong_kind_are_refused(place, found, certificate):
    """Whatever stands in the place of a part: the answer is a refusal, never another error."""
    forged = copy.deepcopy(certificate)
    *outer, last = place
    part = forged
    for step in outer:
        part = part[step]
    part[last] = found
    with pytest.raises(Refused):
        check(rehashed(forged))


@pytest.mark.parametrize(
    "place", [("model", "lower", 0), ("plan", "point", 0, 1), ("proofs", 0, "unit"), ("proofs", 0, "value")]
)
@pytest.mark.parametrize("found", ["x", "1/0", "9" * 500, [], {}, "1e9", "٣", 0.5], ids=repr)
def test_numbers_of_the_wrong_kind_are_refused(place, found, certificate):
    """Only whole numbers and fractions in plain digits are numbers."""
    forged = copy.deepcopy(certificate)
    *outer, last = place
    part = forged
    for step in outer:
        part = part[step]
    part[last] = found
    assert refused(rehashed(forged)) == "shape"


def changed_model(certificate):
    """Raise an envelope in the model, which the plan still keeps."""
    row = next(row for row in certificate["model"]["rows"] if row["origin"][0] == "envelope")
    row["upper"] += 1000


def changed_objective(certificate):
    """Take away what an option that the plan leaves out is worth, so that the bound falls."""
    taken = {column for column, _ in certificate["plan"]["point"]}
    proof = certificate["proofs"][0]
    proof["objective"] = [pair for pair in proof["objective"] if pair[0] in taken]


def changed_payments(certificate):
    """List another payer than the point stands for."""
    certificate["plan"]["payments"][0][3] += 1


@pytest.mark.parametrize(
    ("forge", "code"),
    [
        (changed_model, "certificate-differs"),
        (changed_objective, "certificate-differs"),
        (changed_payments, "certificate-breaks-tables"),
    ],
)
def test_a_certificate_about_another_model_is_told_apart_by_the_tables(forge, code, certificate, tmp_path):
    """It holds in itself, and the checker alone passes it; held against the tables it is refused."""
    forged = copy.deepcopy(certificate)
    forge(forged)
    check(rehashed(forged))
    with pytest.raises(InvalidInput) as refusal:
        confirm(written(tmp_path, forged), sample().tables)
    assert refusal.value.issues[0].code == code


def test_a_certificate_of_other_tables_is_refused(certificate, tmp_path):
    """A changed amount makes another portfolio."""
    other = sample().with_changes({"projects.A.cost": "+1"})
    with pytest.raises(InvalidInput, match="was made for other tables"):
        confirm(written(tmp_path, certificate), other.tables)


def test_only_plans_and_proofs_that_there_is_none_are_certified(tmp_path):
    """A broken list and a run without an answer are refused, and nothing is written."""
    portfolio = few(ODD, 38)
    with pytest.raises(InvalidInput, match="no plan to certify"):
        portfolio.evaluate(list(ODD)).certificate(tmp_path / "x")
    with pytest.raises(InvalidInput, match="leaves"):
        portfolio.optimize().certificate(tmp_path / "x", leaves=0)
    with pytest.raises(CapallocError, match="robust"):
        portfolio.optimize(robust={"gamma": 1}).certificate(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_every_reason_to_refuse_is_said_in_both_languages():
    """What the checker says in English alone, the library says in the language in force."""
    from capalloc.catalogue import has_text

    reasons = MESSAGES.keys() - {"unreadable", "version", "shape"}
    assert [code for code in reasons if not has_text(f"certificate.refusal.{code}")] == []


def test_a_fingerprint_does_not_depend_on_the_language():
    """The law is named in the language of the run; what the tables say stays the same."""
    folder = ROOT / "scenarios" / "tuyen-quang"
    found = set()
    for lang in ("en", "vi"):
        with capalloc.catalogue.speaking(lang):
            found.add(capalloc.load(folder).fingerprint)
    assert len(found) == 1


@pytest.mark.parametrize("name", ["lai-chau", "lang-son", "lang-son-urban", "northern-midlands", "tuyen-quang"])
def test_every_scenario_is_certified(name, tmp_path):
    """A plan found in little time is confirmed against the tables, with a bound that is near to it."""
    portfolio = capalloc.load(ROOT / "scenarios" / name)
    plan = portfolio.optimize(time_limit=20, gap=0.01, threads=1)
    plan.certificate(tmp_path / "plan.cert.json", leaves=30)
    found = confirm(tmp_path / "plan.cert.json", portfolio.tables)
    assert found.proofs[0].value == plan.answer.value
    assert 0 <= found.gap < 0.02
    assert math.isfinite(found.gap)
    assert found.proofs[0].claimed == Fraction(plan.bound)
