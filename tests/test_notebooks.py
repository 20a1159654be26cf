"""The notebooks of the examples run from top to bottom, and are kept as they ran."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[1] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))

# The kernel that a notebook talks to is on this machine; its own channels are not what is tested.
pytestmark = pytest.mark.filterwarnings("ignore:::jupyter_client", "ignore:::zmq", "ignore:::nbclient")


def book_of(notebook):
    """Return a notebook as it is kept."""
    return nbformat.read(notebook, as_version=4)


def outputs_of(book):
    """Return what the cells of a notebook put out."""
    return [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(notebook):
    """Every cell runs in a fresh kernel, and says something where it is kept saying something."""
    kept, book = book_of(notebook), book_of(notebook)
    NotebookClient(book, timeout=120, resources={"metadata": {"path": str(EXAMPLES)}}).execute()
    assert [bool(cell.get("outputs")) for cell in book.cells] == [bool(cell.get("outputs")) for cell in kept.cells]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_clean(notebook):
    """As run from top to bottom: cells numbered in order, no error, no warning, no path of a machine."""
    book = book_of(notebook)
    numbers = [cell.execution_count for cell in book.cells if cell.cell_type == "code"]
    assert numbers == list(range(1, len(numbers) + 1))
    assert {output.output_type for output in outputs_of(book)} <= {"stream", "execute_result", "display_data"}
    assert [
        output.name for output in outputs_of(book) if output.output_type == "stream" and output.name != "stdout"
    ] == []
    assert "/home/" not in nbformat.writes(book)


def test_the_notebooks_tell_the_stories_promised():
    """One story each, and one of them in Vietnamese."""
    assert {path.stem for path in NOTEBOOKS} == {
        "defending_the_plan",
        "first_plan_lai_chau",
        "mid_term_adjustment",
        "scenarios_overnight",
        "what_more_money_buys",
        "your_own_excel",
    }
