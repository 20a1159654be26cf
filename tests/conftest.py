"""Settings that every test shares."""

import os

import pytest
from hypothesis import HealthCheck, settings

import apps

# A shared machine may be slow; how long a case takes is not what these tests judge.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

# "ordinary" draws the same cases on every run, so that a red run can be repeated anywhere;
# "nightly" looks for new ones and prints how to repeat a failure.
settings.register_profile("ordinary", _PATIENT, derandomize=True)
settings.register_profile("nightly", _PATIENT, max_examples=5_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ordinary"))

# The texts that tests match are English unless a test asks for Vietnamese.
os.environ.pop("CAPALLOC_LANG", None)

_LEFT_OUT = pytest.StashKey[dict[str, int]]()


def pytest_collection_modifyitems(config, items):
    """Leave out the tests of programs that are missing here, unless the machine must have them."""
    missing = {} if apps.REQUIRED else apps.left_out(items)
    config.stash[_LEFT_OUT] = {mark: len(own) for mark, own in missing.items()}
    gone = [item for own in missing.values() for item in own]
    if gone:
        config.hook.pytest_deselected(items=gone)
        items[:] = [item for item in items if item not in gone]


def pytest_terminal_summary(terminalreporter, config):
    """Say which checks were left out, and how to get them."""
    for line in apps.summary(config.stash.get(_LEFT_OUT, {})):
        terminalreporter.write_line(line, yellow=True)


@pytest.fixture(scope="session")
def browser():
    """The one browser that all tests share."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        # A container has no user namespaces, in which the sandbox would live; the pages are our own.
        chromium = driver.chromium.launch(executable_path=apps.found("browser"), args=["--no-sandbox"])
        yield chromium
        chromium.close()
