"""Every bad input is answered in the user's words, in both languages, and nothing else comes of it."""

import pytest

from bad_inputs import answer, bad_inputs, portfolio_files, said
from capalloc.catalogue import speaking

INPUTS = bad_inputs()


def test_there_are_many():
    """Enough of them to stand for what users, spreadsheet programs and attackers come up with."""
    assert len(INPUTS) >= 300


def test_what_is_right_is_not_refused(tmp_path):
    """The portfolio that each of them changes has no fault, nor has its plan."""
    assert answer({}, tmp_path) == ()
    assert answer({"plan": {}}, tmp_path) == ()
    assert answer({"scenario": 'base = "."\n[scenario.low.set]\n"projects.A.cost" = "*2"\n'}, tmp_path) == ()
    assert answer({"changes": {"projects.A.cost": "*2"}}, tmp_path) == ()


@pytest.mark.parametrize("name", INPUTS)
def test_a_bad_input_is_told(name, tmp_path, monkeypatch):
    """Each fault at its place with what was found, in the order of the input; a message may go on with a reason."""
    monkeypatch.chdir(tmp_path)
    given = INPUTS[name]
    issues = answer(given, tmp_path)
    for lang in ("en", "vi"):
        with speaking(lang):
            told = [said(issue, tmp_path) for issue in issues]
            assert all(issue.remedy for issue in issues)
        assert [text[: len(start)] for text, start in zip(told, given[lang], strict=True)] == given[lang]
    assert {path.name for path in tmp_path.iterdir()} <= {*portfolio_files(given), "plan.json"}


@pytest.mark.parametrize("name", [name for name in INPUTS if "selection" in INPUTS[name]])
def test_a_selection_runs_nothing(name, tmp_path, monkeypatch):
    """Whatever it says, no program is started and no file removed."""
    calls = []
    for target in ("os.system", "os.popen", "os.remove", "subprocess.Popen"):
        monkeypatch.setattr(target, lambda *given, **_: calls.append(given))
    answer(INPUTS[name], tmp_path)
    assert calls == []
