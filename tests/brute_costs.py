"""What a project costs year by year, each case taken at its word: by rows, by profile, part of a programme, history."""

from fractions import Fraction
from math import ceil, floor

from capalloc.records import Commitment, Project
from capalloc.tables import Tables

RUNNING = ("under_way", "completed_unpaid", "arrears", "advance")


def cell(tables: Tables, project: Project, mode: str, name: str) -> object:
    """A cell of the mode's row, or of the project's where that is empty."""
    rows = [row for row in tables.modes if (row.project, row.mode) == (project.id, mode)]
    cells = [getattr(row, name) for row in rows] + [getattr(project, name)]
    return next((found for found in cells if found not in (None, "")), None)


def first_open_year(tables: Tables) -> int:
    """The first year that is not decided yet."""
    return tables.settings.decide_from or tables.settings.first_year


def paid_before(tables: Tables, project: Project) -> dict[tuple[int, str], int]:
    """What was paid for a project, by year and source."""
    return {(row.year, row.source): row.amount for row in tables.paid if row.project == project.id}


def is_stopped(tables: Tables, project: Project) -> bool:
    """Whether it is decided that a project is out."""
    return any(row.decision == "out" for row in _decisions(tables, project))


def begun(tables: Tables, project: Project) -> tuple[str, int | None] | None:
    """Mode and start of a project with history (of one that is stopped perhaps no start), ``None`` without."""
    rows = [row for row in _decisions(tables, project) if row.decision == "in"]
    mode = "".join(row.mode for row in rows)
    window = cell(tables, project, mode, "earliest_start"), cell(tables, project, mode, "latest_start")
    known = [row.start for row in rows if row.start is not None] + [window[0]] * (window[0] == window[1])
    start = known[0] if known else None
    runs = project.status in RUNNING and start is not None and start < first_open_year(tables)
    return (mode, start) if runs or paid_before(tables, project) else None


def _decisions(tables: Tables, project: Project) -> list[Commitment]:
    return [row for row in tables.committed if row.project == project.id]


def flexible_years(tables: Tables, project: Project, mode: str) -> tuple[int, int, int] | None:
    """Total, least and most a year of what the plan pays as it likes; ``None`` where the years are given."""
    if cell(tables, project, mode, "profile") != "flexible":
        return None
    total = cell(tables, project, mode, "cost") or 0
    least, most = cell(tables, project, mode, "year_min"), cell(tables, project, mode, "year_max")
    return total, floor((least or 0) * total), ceil((1 if most is None else most) * total)


def costs_of(tables: Tables, project: Project, mode: str, start: int, scale: Fraction) -> dict[int, int]:
    """Return the cost by year, without that of a project whose years the plan decides."""
    if flexible_years(tables, project, mode) is not None:
        return {}
    if begun(tables, project) is not None:
        return _history(tables, project, mode, start)
    exact = {start + offset: amount for offset, amount in _offsets(tables, project, mode).items()}
    whole = _rounded(_indexed(tables, project, exact))
    return whole if scale == 1 else _rounded({year: scale * amount for year, amount in whole.items()})


def scales_of(tables: Tables, project: Project, mode: str, start: int) -> list[Fraction]:
    """Return the parts of a project that can be funded: all of it, or every whole amount of a programme."""
    if project.kind != "programme":
        return [Fraction(1)]
    total = sum(costs_of(tables, project, mode, start, Fraction(1)).values())
    return [Fraction(amount, total) for amount in range(ceil(project.min_scale * total), total + 1)]


def _history(tables: Tables, project: Project, mode: str, start: int) -> dict[int, int]:
    """What was paid in the years that are decided, and what is left over the years that are not."""
    now, paid = first_open_year(tables), paid_before(tables, project)
    before = {year: sum(amount for (own, _), amount in paid.items() if own == year) for year, _ in paid}
    ahead = {start + k: amount for k, amount in _offsets(tables, project, mode).items() if start + k >= now}
    if not any(row.project == project.id and row.mode == mode for row in tables.costs):
        left = (cell(tables, project, mode, "cost") or 0) - sum(before.values())
        parts = {start + k: part for k, part in _parts(tables, project, mode).items() if start + k >= now}
        whole = sum(parts.values())
        ahead = {year: left * part / whole for year, part in parts.items()} if whole else {now: Fraction(left)}
    return before | _rounded(_indexed(tables, project, ahead))


def _offsets(tables: Tables, project: Project, mode: str) -> dict[int, Fraction]:
    """The cost by offset in the prices of the tables."""
    rows = [row for row in tables.costs if (row.project, row.mode) == (project.id, mode)]
    total = cell(tables, project, mode, "cost") or 0
    spread = {offset: total * part for offset, part in _parts(tables, project, mode).items()}
    return {row.offset: Fraction(row.amount) for row in rows} or spread


def _parts(tables: Tables, project: Project, mode: str) -> dict[int, Fraction]:
    duration, profile = cell(tables, project, mode, "duration"), cell(tables, project, mode, "profile")
    if not profile:
        return {offset: Fraction(1, duration) for offset in range(duration)}
    return {row.offset: row.share for row in tables.profiles if (row.profile, row.duration) == (profile, duration)}


def _indexed(tables: Tables, project: Project, exact: dict[int, Fraction]) -> dict[int, Fraction]:
    """Amounts by year in the prices of their years."""
    if tables.settings.prices != "nominal":
        return exact
    level = {row.year: row.index for row in tables.price_index}
    base = level[project.price_year] if project.price_year else 1
    return {year: amount * level[year] / base for year, amount in exact.items()}


def _rounded(exact: dict[int, Fraction]) -> dict[int, int]:
    """Whole amounts whose sums up to each year are the exact sums, rounded half up."""

    def spent_by(last: int) -> int:
        return floor(sum((amount for year, amount in exact.items() if year <= last), Fraction(1, 2)))

    return {year: spent_by(year) - spent_by(year - 1) for year in exact}
