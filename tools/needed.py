"""Print what users install, from pyproject.toml: ``python tools/needed.py [--lowest]``.

Each dependency of the package and of the extras for users is a line, as pip reads requirements.  With ``--lowest`` it
is pinned to the lowest version that is allowed, as pip reads constraints.
"""

import re
import sys
import tomllib
from pathlib import Path

EXTRAS = ("cluster", "parquet")


def lowest(requirement: str) -> str:
    """Return the constraint that pins a requirement to the version after its ``>=``.

    Examples
    --------
    >>> lowest("pulp>=3.3.2,<4")
    'pulp==3.3.2'
    """
    found = re.fullmatch(r"([\w.-]+)>=([\w.]+)(,.*)?", requirement)
    if found is None:
        raise ValueError(f"{requirement}: a dependency names the lowest version that it works with, such as pulp>=3.3")
    return f"{found[1]}=={found[2]}"


def main() -> None:
    """Print the lines."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [*project["dependencies"], *(line for name in EXTRAS for line in project["optional-dependencies"][name])]
    written = [lowest(line) for line in needed] if "--lowest" in sys.argv[1:] else needed
    sys.stdout.writelines(f"{line}\n" for line in written)


if __name__ == "__main__":
    main()
