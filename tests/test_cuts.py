"""Cuts in certificates: what follows from a derivation, and that nothing false can be made to follow."""

import copy
import itertools
import json
import math
import zipfile
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import capalloc
from capalloc import InvalidInput
from capalloc.catalogue import speaking
from capalloc.certifying import certify
from capalloc.check_certificate import Program, Refused, Row, check, derived, digest, read
from capalloc.confirming import confirm
from capalloc.effort import EFFORT, Effort
from few import few
from sample import sample

KEPT = Path(__file__).parent / "formats"
# What fills the room to the end takes a part of a project, so that the relaxation is worth more than any plan.
ODD = {f"P{n}": {"cost": 7 + 2 * n, "value": 110 + 31 * n, "latest_start": 2026} for n in range(6)}


@pytest.fixture(scope="module")
def certificate():
    """Return a certificate of one part, whose bound comes from cuts."""
    portfolio = few(ODD, 38)
    return certify(portfolio.tables, portfolio.optimize(gap=0.0, threads=1).answer, 1, None)


def program(*columns, rows=()):
    """Return a program; each column is (lower, upper, whole)."""
    lower, upper, whole = (list(part) for part in zip(*columns, strict=True))
    return Program(lower, upper, whole, list(rows), {})


def cut(rows, scale, *, top=(), unit=1):
    """Return a derivation."""
    return {"rows": rows, "scale": scale, "top": list(top), "unit": unit}


def test_a_row_divided_by_its_entries_rounds_its_room_down():
    """Of three that take 3 each from 5 only one fits: 3x + 3y + 3z <= 5 over 3."""
    knapsack = Row([(0, 3), (1, 3), (2, 3)], None, 5)
    found = derived(cut([[0, 1]], 3), [knapsack], program(*[(0, 1, True)] * 3))
    assert (sorted(found.entries), found.lower, found.upper) == ([(0, 1), (1, 1), (2, 1)], None, 1)


def test_what_is_counted_from_above_makes_a_cover():
    """5x + 5y + 5z <= 9 with x and y counted from above: of the two only one fits, x + y <= 1."""
    knapsack = Row([(0, 5), (1, 5), (2, 1)], None, 9)
    found = derived(cut([[0, 1]], 5, top=[0, 1]), [knapsack], program(*[(0, 1, True)] * 3))
    assert (sorted(found.entries), found.upper) == ([(0, 1), (1, 1)], 1)


def test_money_bends_a_cut_and_does_not_break_it():
    """From 2x <= 3 + s, with s from 0 to 1 and not whole, follows x <= 1 + s: at s = 1 both are fair."""
    row = Row([(0, 2), (1, -1)], None, 3)
    found = derived(cut([[0, 1]], 2), [row], program((0, 3, True), (0, 1, False)))
    assert (sorted(found.entries), found.upper) == ([(0, 1), (1, -1)], 1)


def test_a_room_that_money_has_a_part_in_is_never_rounded_down():
    """From x - 3s <= 1 follows x - 2s <= 2 in multiples of 3, but not 1: x may be 2 where s is 3/8."""
    row = Row([(0, 1), (1, -3)], None, 1)
    found = derived(cut([[0, 2]], 1, unit=3), [row], program((0, 2, True), (0, 2, False)))
    assert (sorted(found.entries), found.upper) == ([(0, 1), (1, -2)], 2)


def test_a_lower_side_counts_as_well():
    """From 2x + 2y >= 3 follows x + y >= 2."""
    row = Row([(0, 2), (1, 2)], 3, None)
    found = derived(cut([[0, -1]], 2), [row], program(*[(0, 5, True)] * 2))
    assert (sorted(found.entries), found.upper) == ([(0, -1), (1, -1)], -2)


def test_numbers_rounded_to_a_unit_cost_room_and_not_truth():
    """7x + 5y <= 12 in units of 4 reads 2x + y <= 3: 7x grew by 1, so that the room grows to 13, over 4."""
    row = Row([(0, 7), (1, 5)], None, Fraction(25, 2))
    found = derived(cut([[0, 1]], 1, unit=2), [row], program(*[(0, 1, True)] * 2))
    for x, y in itertools.product((0, 1), repeat=2):
        assert sum(entry * (x, y)[column] for column, entry in found.entries) <= found.upper


WHOLE = st.integers(-7, 7)
SIDES = st.tuples(st.integers(-4, 12), st.booleans())


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_derivation_cuts_off_a_point(data):
    """Whatever is added up, whole columns or not: every whole point of the rows keeps what follows, twice over."""
    kinds = data.draw(st.lists(st.booleans(), min_size=3, max_size=3))
    columns = [(data.draw(st.integers(-1, 0)), data.draw(st.integers(1, 2)), kind) for kind in kinds]
    rows = []
    for entries, (side, high) in data.draw(
        st.lists(st.tuples(st.tuples(WHOLE, WHOLE, WHOLE), SIDES), min_size=1, max_size=3)
    ):
        pairs = [(column, entry) for column, entry in enumerate(entries) if entry]
        rows.append(Row(pairs, None if high else -side, side if high else None))
    found = program(*columns, rows=rows)
    steps = [
        [Fraction(k, 1 if kind else 4) for k in range(low * (1 if kind else 4), high * (1 if kind else 4) + 1)]
        for low, high, kind in columns
    ]
    points = [point for point in itertools.product(*steps) if all(kept(row, point) for row in rows)]
    for _ in range(2):
        pairs = [[place, data.draw(WHOLE)] for place in range(len(rows))]
        top = data.draw(st.sets(st.integers(0, 2)))
        rows.append(
            derived(cut(pairs, data.draw(st.integers(1, 9)), top=top, unit=data.draw(st.integers(1, 5))), rows, found)
        )
        assert all(kept(rows[-1], point) for point in points)


def kept(row, point):
    """Return whether a point keeps a row."""
    total = sum(entry * point[column] for column, entry in row.entries)
    return (row.lower is None or total >= row.lower) and (row.upper is None or total <= row.upper)


def test_cuts_confirm_more_than_the_relaxation(certificate):
    """Without dividing the bound is lower than that of the relaxation, and never below the plan."""
    portfolio = few(ODD, 38)
    answer = portfolio.optimize(gap=0.0, threads=1).answer
    plain = check(certify(portfolio.tables, answer, 1, None, 0))[0]
    with_cuts = check(certificate)[0]
    assert len(certificate["proofs"][0]["cuts"]) > 0
    assert plain.bound > with_cuts.bound >= answer.value


def test_a_search_keeps_to_its_effort_and_says_so():
    """What is done is a count: little effort proves a bound that is worse and as true, the same each time."""
    portfolio = few(ODD, 38)
    answer = portfolio.optimize(gap=0.0, threads=1).answer
    certificates = []
    for most in (EFFORT, 1e-6, 1e-6):
        effort = Effort(most)
        certificates.append(certify(portfolio.tables, answer, 50, None, 20, effort))
        assert effort.ended is (most != EFFORT)
    (far,), (near,) = check(certificates[0]), check(certificates[1])
    assert near.bound > far.bound == answer.value
    assert near.leaves < far.leaves or len(certificates[1]["proofs"][0]["cuts"]) == 0
    assert certificates[1] == certificates[2]


def test_efforts_are_parts_of_one():
    """What a part spends the whole has spent; a part gets a share of what is left, and nothing of nothing."""
    whole = Effort(1)
    part = whole.part(0.5)
    part.pay(4e8)
    assert not part.spent
    part.pay(2e8)
    assert part.spent
    assert not whole.spent
    rest = whole.part(1)
    rest.pay(4e8)
    assert rest.spent
    assert whole.spent
    assert whole.part(1).spent


@pytest.mark.parametrize(("lang", "said"), [("en", "limit of effort (1)"), ("vi", "khối lượng tính toán (1)")])
def test_who_asks_for_proofs_is_told_where_their_search_ended(lang, said, tmp_path, monkeypatch):
    """The answer and the summary in a pack say that more effort may confirm more; a file read later says nothing."""
    monkeypatch.setattr(capalloc.effort, "_UNIT", 1000)
    portfolio = few(ODD, 38)
    plan = portfolio.optimize(gap=0.0, threads=1)
    with speaking(lang):
        found = plan.certificate(tmp_path / "plan.cert.json", effort=1)
        assert (found.ended_at, said in found.summary()) == (1, True)
        assert said not in confirm(tmp_path / "plan.cert.json", portfolio.tables).summary()
    packed = plan.evidence(tmp_path / "pack.zip", effort=1, rounds=0)
    assert packed.ended_at == 1
    with zipfile.ZipFile(tmp_path / "pack.zip") as pack:
        assert said in pack.read(f"summary.{lang}.txt").decode()
        assert json.loads(pack.read("plan.cert.json"))["proofs"][0]["cuts"] == []
    assert plan.certificate(tmp_path / "plan.cert.json", effort=10**6).ended_at is None


def test_an_effort_of_nothing_is_refused(tmp_path):
    """So are rounds below 0, for both, before anything is written."""
    plan = sample().optimize()
    for prove in (plan.certificate, plan.evidence):
        with pytest.raises(InvalidInput, match=r"effort is 0(.|\n)*rounds is -1"):
            prove(tmp_path / "x", effort=0, rounds=-1)
    assert list(tmp_path.iterdir()) == []


def test_no_digit_of_a_cut_can_be_changed(certificate):
    """The hashes tell; and with hashes to match, it is refused or what it proves is true all the same."""
    value = check(certificate)[0].value
    text = json.dumps(certificate["proofs"][0]["cuts"])
    places = [place for place, sign in enumerate(text) if sign in "0123456789"]
    assert len(places) > 20
    for place in places:
        changed = text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]
        try:
            proofs = [certificate["proofs"][0] | {"cuts": json.loads(changed)}]
        except json.JSONDecodeError:
            continue
        forged = certificate | {"proofs": proofs}
        assert refused(forged) == "hash"
        assert proved(forged | {"hashes": certificate["hashes"] | {"proofs": digest(proofs)}}) >= value


def proved(certificate):
    """Return the bound that a certificate proves; where it is refused, it proves nothing."""
    try:
        return check(certificate)[0].bound
    except Refused:
        return math.inf


def refused(certificate):
    """Return the code with which a certificate is refused."""
    with pytest.raises(Refused) as refusal:
        check(certificate)
    return refusal.value.code


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("scale", 0),
        ("scale", -1),
        ("unit", 0),
        ("unit", -1),
        ("unit", "-1/2"),
        ("unit", "x"),
        ("top", [10**6]),
        ("top", 1),
        ("rows", [[10**6, 1]]),
        ("rows", [[0, 0.5]]),
        ("rows", None),
    ],
    ids=repr,
)
def test_a_senseless_derivation_is_refused(part, found, certificate):
    """A scale that is not positive, a column or row that there is not: a refusal, never another error."""
    forged = copy.deepcopy(certificate)
    forged["proofs"][0]["cuts"][0][part] = found
    forged["hashes"]["proofs"] = digest(forged["proofs"])
    if part == "top" and found == [10**6]:
        assert check(forged)[0].bound >= check(certificate)[0].value
    else:
        assert refused(forged) == "shape"


def test_a_cut_follows_from_what_stands_before_it_only(certificate):
    """One that is derived from itself is refused."""
    forged = copy.deepcopy(certificate)
    own = len(forged["model"]["rows"])
    forged["proofs"][0]["cuts"][0]["rows"] = [[own, 1]]
    forged["hashes"]["proofs"] = digest(forged["proofs"])
    assert refused(forged) == "shape"


def test_a_cut_left_out_is_missed(certificate):
    """The leaf that counts on cuts is left with rows that there are not."""
    forged = copy.deepcopy(certificate)
    forged["proofs"][0]["cuts"] = []
    forged["hashes"]["proofs"] = digest(forged["proofs"])
    assert refused(forged) == "shape"


def test_a_certificate_of_the_first_version_has_no_cuts_and_is_still_read():
    """It is checked as before."""
    found = read(KEPT / "1" / "plan.cert.json")
    assert found["version"] == 1
    assert "cuts" not in found["proofs"][0]
    assert check(found)[0].bound > check(found)[0].value


def test_a_certificate_of_the_second_version_confirms_what_it_confirmed():
    """Its one part closes the gap by cuts, against the same tables as the kept one of the first version."""
    portfolio = capalloc.load(KEPT / "1" / "portfolio")
    (proof,) = confirm(KEPT / "2" / "plan.cert.json", portfolio.tables).proofs
    assert (proof.value, proof.bound, proof.leaves) == (Fraction(31, 2), Fraction(31, 2), 1)


@pytest.mark.parametrize("found", ["0", "-1", "true", '"2"', "1.5", "null"])
def test_a_version_that_never_was_is_no_certificate(found, tmp_path):
    """Only a later version may mean other things by the same words; what is none is refused as malformed."""
    text = (KEPT / "2" / "plan.cert.json").read_text(encoding="utf-8").replace('"version": 2', f'"version": {found}')
    (tmp_path / "plan.cert.json").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput, match="no certificate of version 1 or 2"):
        confirm(tmp_path / "plan.cert.json", sample().tables)
