"""The checker of certificates on programs of two columns, whose every number can be told by hand."""

import json
from decimal import Decimal
from fractions import Fraction

import pytest

from capalloc import check_certificate
from capalloc.certifying import certify
from capalloc.check_certificate import Program, Refused, Row, check, derived, digest, leaf_bound, main, read, told
from few import few


def program(*columns, rows=()):
    """Return a program; each column is (lower, upper, whole)."""
    lower, upper, whole = (list(part) for part in zip(*columns, strict=True))
    return Program(lower, upper, whole, list(rows), {})


def row(entries, lower=None, upper=None):
    """Return a row as a certificate has it."""
    return {"origin": ["rule", "r"], "entries": entries, "lower": lower, "upper": upper}


def leaf(*rows, scale=1, empty=False):
    """Return a leaf with a multiplier of some rows."""
    return {"empty": empty, "scale": scale, "rows": [list(pair) for pair in rows]}


def certificate(rows=(), nodes=None, version=1, **proof):
    """Return the certificate of a plan that takes A, worth 5, and B, worth 4: no plan takes more."""
    names = [["option", "A", "", 2026], ["option", "B", "", 2026]]
    parts = {
        "head": {"title": "two", "portfolio": "p"},
        "model": {"columns": names, "lower": [0, 0], "upper": [1, 1], "whole": [1, 1], "rows": list(rows)},
        "plan": {"choices": [["A", "", 2026, "1"], ["B", "", 2026, "1"]], "payments": [], "point": [[0, 1], [1, 1]]},
        "proofs": [
            {"class": None, "unit": "1", "objective": [[0, 5], [1, 4]], "held": [], "value": "9", "bound": 9}
            | {"nodes": nodes or [leaf()]}
            | proof
        ],
    }
    hashes = {name: digest(part) for name, part in parts.items()}
    return {"format": "capalloc certificate", "version": version, **parts, "hashes": hashes}


def refused(given):
    """Return the code with which a certificate is refused."""
    with pytest.raises(Refused) as refusal:
        check(given)
    return refusal.value.code


def test_a_plan_that_keeps_all_is_confirmed():
    """Without any row the columns alone bound the value: 5 + 4."""
    (proof,) = check(certificate([row([[0, 1]], 0, 1)]))
    assert (proof.value, proof.bound, proof.leaves) == (9, 9, 1)


@pytest.mark.parametrize("broken", [row([[0, 3], [1, 2]], None, 4), row([[0, 3], [1, 2]], 6, None)], ids=str)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_every_row_is_checked_on_both_sides(broken, place):
    """A and B make 5 where at most 4 or at least 6 is asked, in whichever row."""
    rows = [row([[0, 1]], 0, 1), row([[1, 1]], 0, 1)]
    rows.insert(place, broken)
    assert refused(certificate(rows)) == "row"


def test_every_lower_and_every_upper_bound_of_a_column_is_checked():
    """Two of B are too many, and less than nothing of it is too little."""
    for found in (2, -1):
        given = certificate()
        given["plan"]["point"][1][1] = found
        given["hashes"]["plan"] = digest(given["plan"])
        assert refused(given) == "bounds"


@pytest.mark.parametrize("choices", [["A"], ["A", "B", "C"], ["A", "A", "B"], []], ids=str)
def test_the_choices_listed_are_those_of_the_point_and_no_others(choices):
    """One too few is as false as one too many."""
    given = certificate()
    given["plan"]["choices"] = [[name, "", 2026, "1"] for name in choices]
    given["hashes"]["plan"] = digest(given["plan"])
    assert refused(given) == "choices"


@pytest.mark.parametrize("value", ["8", "10", "19/2", None], ids=str)
def test_what_is_claimed_is_what_the_point_is_worth(value):
    """A claim is refused however near it is, also one of nothing."""
    assert refused(certificate(value=value)) == "value"


@pytest.mark.parametrize("part", ["head", "model", "plan", "proofs"])
def test_the_hash_of_each_part_is_compared(part):
    """One wrong hash is enough, whichever it is."""
    given = certificate()
    given["hashes"][part] = digest("another")
    assert refused(given) == "hash"


@pytest.mark.parametrize("scale", [0, -1, "-1/2"], ids=str)
def test_multipliers_over_a_number_that_is_not_positive_prove_nothing(scale):
    """Over −1 what all points are at most would become what they are at least."""
    assert refused(certificate([row([[0, 1]], None, 1)], [leaf((0, 1), scale=scale)])) == "shape"


def test_a_row_counted_from_the_end_is_none():
    """A multiplier names its row by its place, and by nothing else."""
    assert refused(certificate([row([[0, 1]], None, 1)], [leaf((-1, 1))])) == "open-side"


@pytest.mark.parametrize("column", [True, -1, 2, "0", None], ids=repr)
def test_a_column_is_named_by_its_place_alone(column):
    """What only counts as a number is no place, nor is one beyond the columns."""
    assert refused(certificate([row([[column, 1]], None, 1)])) == "shape"


def test_a_row_names_a_column_once():
    """Of two entries of one column readers would choose another one each."""
    assert refused(certificate([row([[0, 1], [0, 1]], None, 2)])) == "shape"


def as_read(text, folder):
    """Return the code with which a file of this text is refused."""
    path = folder / "plan.cert.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Refused) as refusal:
        read(path)
    return refusal.value.code


def test_a_certificate_has_the_parts_it_must_have_and_no_others(tmp_path):
    """What a reader would pass over could be taken for checked."""
    given = certificate()
    assert as_read(json.dumps(given | {"format": "another"}), tmp_path) == "shape"
    assert as_read(json.dumps(given | {"comment": "checked"}), tmp_path) == "shape"
    assert as_read(json.dumps({name: part for name, part in given.items() if name != "head"}), tmp_path) == "shape"


def test_a_name_stands_once(tmp_path):
    """Of two values of one name readers would choose another one each."""
    text = json.dumps(certificate())
    assert as_read(text.replace('"bound": 9', '"bound": 9, "bound": 9'), tmp_path) == "unreadable"


def test_a_file_longer_than_any_certificate_is_refused(tmp_path, monkeypatch):
    """Even where what is beyond is blank."""
    text = json.dumps(certificate())
    monkeypatch.setattr(check_certificate, "LARGEST_FILE", len(text) + 2)
    assert as_read(text + " " * 3, tmp_path) == "shape"


def test_without_a_proof_nothing_is_confirmed():
    """An empty list of proofs is no list of proofs that hold."""
    given = certificate()
    given["proofs"] = []
    given["hashes"]["proofs"] = digest([])
    assert refused(given) == "shape"


def test_what_is_told_of_a_certificate_is_in_it():
    """A head without a title is found before anything is called confirmed."""
    given = certificate()
    del given["head"]["title"]
    given["hashes"]["head"] = digest(given["head"])
    assert refused(given) == "shape"


@pytest.mark.parametrize("part", ["lower", "upper", "whole", "columns"])
def test_every_list_of_columns_is_as_long_as_the_others(part):
    """One more of any says something about a column that there is not, also where there is no plan."""
    given = certificate(value=None)
    given["plan"] = None
    given["hashes"]["plan"] = digest(None)
    given["model"][part] = [*given["model"][part], *given["model"][part][:1]]
    given["hashes"]["model"] = digest(given["model"])
    assert refused(given) == "shape"


@pytest.mark.parametrize("number", [True, "1_0", "1 ", "+1"], ids=repr)
def test_what_only_python_takes_for_a_number_is_none(number):
    """The sum 9 is below each of them, if they are read at all."""
    assert refused(certificate([row([[0, 5], [1, 4]], None, number)])) == "shape"


@pytest.mark.parametrize("class_", [True, "1", "a"], ids=repr)
def test_a_class_is_a_whole_number_or_none(class_):
    """It is printed as it stands."""
    assert refused(certificate(**{"class": class_})) == "shape"


def test_a_unit_counts_without_its_sign():
    """Times a number below 0 a bound from above would become one from below."""
    (proof,) = check(certificate(unit="-1"))
    assert (proof.value, proof.bound) == (9, 9)


def test_a_multiplier_below_0_counts_on_the_lower_side():
    """From x >= 0 nothing better than 1 follows for x <= 1; from the upper side of the same row 0 would."""
    assert leaf_bound(leaf((0, -1)), 0, {}, [Row([(0, 1)], 0, 1)], [], program((0, 1, True))) == 1


def test_a_loss_is_least_at_the_lower_bound_of_its_column():
    """Of -5x, with x from -1, 5 can be had."""
    assert leaf_bound(leaf(), 0, {0: -5}, [], [], program((-1, 1, True))) == 5


SPLIT = {"split": [0], "at": 0, "low": 1, "high": 2}


@pytest.mark.parametrize("high", [-1, True, "2", 3, None], ids=repr)
def test_a_part_is_named_by_its_place_alone(high):
    """A place counted from the end, or no whole number, is none."""
    assert refused(certificate(nodes=[SPLIT | {"high": high}, leaf(), leaf()])) == "tree"


def test_a_tree_is_as_good_as_its_worst_leaf():
    """Without A plans are worth 4 at most, with A 9."""
    assert check(certificate(nodes=[SPLIT, leaf(), leaf()]))[0].bound == 9


def test_a_node_that_nothing_leads_to_is_refused():
    """It proves nothing, and whoever counts leaves would count it."""
    assert refused(certificate(nodes=[leaf(), leaf()])) == "tree"


@pytest.mark.parametrize("at", [True, "0", "1/2", None], ids=repr)
def test_points_are_divided_at_a_whole_number(at):
    """Between k and k + 1 there is no point only where k is whole."""
    assert refused(certificate(nodes=[SPLIT | {"at": at}, leaf(), leaf()])) == "split"


def test_a_branch_leaves_a_column_what_the_lowest_others_leave():
    """Of x + y <= 0, with both from −1, x may still be 1: y is then −1."""
    two = program((-1, 1, True), (-1, 1, True))
    branch = Row([(0, 1), (1, 1)], None, 0)
    assert leaf_bound(leaf(), 0, {0: 5}, [], [branch], two) == 5


def test_a_branch_asks_of_a_column_what_the_highest_others_leave_undone():
    """Of x + y >= 2, with both up to 2, x may still be 0: y is then 2."""
    two = program((0, 2, True), (0, 2, True))
    branch = Row([(0, 1), (1, 1)], 2, None)
    assert leaf_bound(leaf(), 0, {0: -5}, [], [branch], two) == 0


def test_a_value_is_rounded_down_only_where_every_gain_and_column_is_whole():
    """3x from x <= 1/2 is worth 3/2: that is 1 where x is whole, and is none where it or its gain is in parts."""
    for whole, gain, bound in ((1, 3, 1), (0, 3, Fraction(3, 2)), (1, "3/2", Fraction(3, 4))):
        given = certificate([row([[0, 1]], None, "1/2")], [leaf((0, gain))], objective=[[0, gain]], value=None)
        given["model"]["whole"][0] = whole
        given["plan"] = None
        given["hashes"] = {name: digest(given[name]) for name in given["hashes"]}
        assert check(given)[0].bound == bound


def test_a_row_in_parts_leaves_a_room_in_parts():
    """From x/2 + y <= 1 nothing may follow that forbids x alone, which leaves a room of 1/2."""
    half = Row([(0, Fraction(1, 2)), (1, 1)], None, 1)
    found = derived({"rows": [[0, -5]], "scale": 4, "top": [0], "unit": 1}, [half], program(*[(0, 1, True)] * 2))
    assert found.upper >= dict(found.entries).get(0, 0)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (certificate(), 0),
        (certificate([row([[0, 1], [1, 1]], None, 1)]), 1),
        (certificate(value="x"), 2),
        (certificate(nodes=[leaf(scale=0)]), 2),
    ],
)
def test_the_exit_code_tells_what_is_false_from_what_cannot_be_read(given, code, tmp_path):
    """0 the certificate holds, 1 it does not, 2 it is none."""
    path = tmp_path / "plan.cert.json"
    path.write_text(json.dumps(given), encoding="utf-8")
    assert main([str(path)]) == code


def test_what_was_not_proved_is_no_success(tmp_path):
    """Without a plan and without a proof that there is none, the answer is 1."""
    given = certificate(value=None)
    given["plan"] = None
    given["hashes"]["plan"] = digest(None)
    path = tmp_path / "plan.cert.json"
    path.write_text(json.dumps(given), encoding="utf-8")
    assert main([str(path)]) == 1


def test_one_class_without_a_proof_is_enough_to_fail(tmp_path):
    """A must be 2, which proves for the first class that there is no plan; for the second nothing is proved."""
    given = certificate([row([[0, 1]], 2, None)], [leaf((0, -1), empty=True)], value=None, **{"class": 1})
    given["plan"] = None
    first = given["proofs"][0]
    held = [{"entries": first["objective"], "lower": None}]
    path = tmp_path / "plan.cert.json"
    answers = []
    for more in ([], [first | {"class": 2, "held": held, "nodes": [leaf()]}]):
        given["proofs"] += more
        given["hashes"] = {name: digest(given[name]) for name in given["hashes"]}
        path.write_text(json.dumps(given), encoding="utf-8")
        answers.append(main([str(path)]))
    assert answers == [0, 1]


def test_what_is_told_names_the_portfolio_the_model_and_each_class():
    """Two certificates can be told apart by what is printed of them."""
    given = certificate()
    first, *rest = told(given, check(given))
    assert first == f"'two': portfolio 'p', model {given['hashes']['model']}"
    assert [line.startswith("class") for line in rest] == [False] * 3
    ordered = certificate(**{"class": 2})
    assert all(line.startswith("class 2: ") for line in list(told(ordered, check(ordered)))[1:])


@pytest.mark.parametrize("times", [1, 10, "0.01"], ids=str)
def test_the_bound_closes_whatever_a_unit_of_value_is_worth(times):
    """The values of six projects times 10, or over 100, are certified as they are."""
    values = [str(Decimal(times) * (110 + 31 * n)) for n in range(6)]
    odd = {f"P{n}": {"cost": 7 + 2 * n, "value": value, "latest_start": 2026} for n, value in enumerate(values)}
    portfolio = few(odd, 38)
    answer = portfolio.optimize(gap=0.0, threads=1).answer
    (proof,) = check(certify(portfolio.tables, answer, 50, None, 0))
    assert proof.bound == proof.value == answer.value


def test_class_weights_count_in_the_proof():
    """Of 3 · 1/4 and 2 · 1/2 only one fits: the second, worth 1."""
    projects = {"P": {"cost": 2, "value": 3, "priority": 2}, "Q": {"cost": 2, "value": 2, "priority": 1}}
    portfolio = few(projects, 3, {"objective": {"class_weights": {1: 0.5, 2: 0.25}}})
    (proof,) = check(certify(portfolio.tables, portfolio.optimize(gap=0.0, threads=1).answer, 20, None))
    assert (proof.value, proof.bound) == (1, 1)


def test_nothing_is_held_that_the_plan_does_not_have_in_a_class_above():
    """Whoever holds what nothing says, such as that B is left out, would prove a bound below the best plan."""
    left_out = {"class": 1, "entries": [[1, -1]], "lower": -1}
    assert refused(certificate(held=[left_out])) == "held"


def test_what_no_point_keeps_cannot_be_held_to_prove_that_there_is_none():
    """Without a plan nothing is held: 0 >= 1 would rule every point out."""
    given = certificate(
        nodes=[leaf((0, -1), empty=True)],
        objective=[],
        held=[{"class": 1, "entries": [], "lower": 1}],
        value=None,
        bound=None,
    )
    given["plan"] = None
    given["hashes"]["plan"] = digest(None)
    assert refused(given) == "held"


def test_classes_have_one_proof_each_in_their_order():
    """Two proofs of one value, as of a class after one below it, are no list of proofs."""
    given = certificate()
    (one,) = given["proofs"]
    lower = one | {"class": 2}
    upper = one | {"class": 1, "held": [{"class": 2, "entries": one["objective"], "lower": 9}]}
    for proofs in ([one, one | {"held": upper["held"]}], [lower, upper]):
        assert refused(given | {"proofs": proofs, "hashes": given["hashes"] | {"proofs": digest(proofs)}}) == "shape"


@pytest.mark.parametrize(("version", "proof"), [(1, {"cuts": []}), (2, {})])
def test_a_version_that_was_changed_is_refused(version, proof):
    """Proofs have a list of cuts in version 2, and none in version 1."""
    assert refused(certificate(version=version, **proof)) == "shape"
