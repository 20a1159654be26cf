"""What programs may rely on stays."""

import public


def test_nothing_public_is_gone():
    """Every name of the list is still there; new ones may be added to it at any time, and are before a release."""
    listed = public.STORED.read_text(encoding="utf-8").splitlines()
    assert sorted(set(listed) - set(public.public())) == []
    assert len(listed) > 500
    assert {"python Plan.save(path)", "shell optimize --gap", "shell exit 130", "plan projects.value"} <= set(listed)
