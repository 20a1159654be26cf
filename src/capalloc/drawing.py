"""How charts look: colours, fonts, numbers in the form of the language, and money in a unit that can be read.

A figure is a Vega-Lite specification with its data inside; :func:`as_chart` makes the Altair chart of it.  The colours
are told apart with any colour vision, and each keeps a contrast of about 3 to 1 on white paper and on a dark screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

from capalloc.catalogue import language, say, write_number
from capalloc.money import round_half_up

if TYPE_CHECKING:
    import altair as alt

Spec: TypeAlias = dict[str, Any]
"""A Vega-Lite specification, or a part of one."""

BLUE, ORANGE, GREEN, PURPLE, SKY, RED, OLIVE = (
    *("#1f78b4", "#d17a00", "#159a74", "#b0609c"),
    *("#5a9bd4", "#d5543a", "#8a7a35"),
)
GREY, PALE, FAINT = "#7d8790", "#a9b2ba", "#c3cad0"
PALETTE = (BLUE, ORANGE, GREEN, PURPLE, SKY, RED, OLIVE, GREY)

_INK, _SOFT, _LINE = "#1f2933", "#52606d", "#d9dee3"
_FONT = "Be Vietnam Pro, Inter, Segoe UI, Noto Sans, DejaVu Sans, Arial, sans-serif"

SHORT_LABELS: Spec = {
    "labelLimit": 340,
    "labelExpr": "containerSize()[0] < 620 ? split(datum.label, '  ')[0] : datum.label",
}
"""An axis of labels made by :func:`short_label`, of which a narrow page shows the ids alone."""

_BILLIONS_FROM = 10_000
_LABEL = 46
_MILLION_TO_BILLION = 1000


@dataclass(frozen=True, slots=True)
class MoneyUnit:
    """The unit in which a chart shows money: ``size`` million VND, under its name in the language in force."""

    size: int
    name: str

    def of(self, amount: int) -> float:
        """Return an amount of million VND in this unit."""
        return amount / self.size

    def told(self, amount: int) -> str:
        """Return an amount of million VND as a reader sees it, with at most one decimal.

        Examples
        --------
        >>> MoneyUnit(1000, "billion VND").told(1234567)
        '1,234.6 billion VND'
        """
        return f"{self.short(amount)} {self.name}"

    def short(self, amount: int) -> str:
        """Return an amount of million VND as a reader sees it, without the unit."""
        return write_number(Fraction(round_half_up(Fraction(amount * 10, self.size)), 10))

    def whole(self, amount: int) -> str:
        """Return an amount for a label over a narrow bar: in whole units, and nothing where it is 0."""
        return write_number(round_half_up(Fraction(amount, self.size))) if amount else ""


def money_unit(amounts: Iterable[int]) -> MoneyUnit:
    """Return the unit for some amounts of million VND: billion VND from ten billion on, else million VND.

    Examples
    --------
    >>> money_unit([12_000, 300]).name, money_unit([900]).name
    ('billion VND', 'million VND')
    """
    if max(map(abs, amounts), default=0) >= _BILLIONS_FROM:
        return MoneyUnit(_MILLION_TO_BILLION, say("report.unit.billion"))
    return MoneyUnit(1, say("report.unit.million"))


def figure(title: str, data: Sequence[Mapping[str, Any]], description: str, **parts: Any) -> Spec:
    """Return a specification with its title, data, description for those who do not see it, and look."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "title": title,
        "description": description,
        "data": {"values": list(data)},
        "config": _look(),
        **parts,
    }


def quantity(field: str, title: str, **parts: Any) -> Spec:
    """Return the encoding of a number along an axis, in the form of the language."""
    axis = {"format": ",~r" if parts.pop("exact", False) else ",~f", "tickCount": 6} | parts.pop("axis", {})
    return {"field": field, "type": "quantitative", "title": title, "axis": axis, **parts}


def coloured(field: str, title: str | None, colours: Mapping[str, str], **legend: Any) -> Spec:
    """Return the encoding of words by colour, in the order given, with its legend above the chart."""
    return {
        "field": field,
        "type": "nominal",
        "title": title,
        "scale": {"domain": list(colours), "range": list(colours.values())},
        "legend": {"orient": "top", "title": title} | legend,
    }


def in_palette(names: Iterable[str]) -> dict[str, str]:
    """Return a colour for each name, in their order."""
    return {name: PALETTE[place % len(PALETTE)] for place, name in enumerate(dict.fromkeys(names))}


def hover(**fields: str) -> list[Spec]:
    """Return the encoding of what is told where the pointer stands: fields of the data, each under its title."""
    return [{"field": field, "type": "nominal", "title": title} for field, title in fields.items()]


def short_label(project: str, name: str) -> str:
    """Return a label of one line that tells a project from every other: its id, and as much of its name as fits.

    Examples
    --------
    >>> short_label("P7", "Cầu"), short_label("P7", "P7")
    ('P7  Cầu', 'P7')
    """
    label = project if name == project else f"{project}  {' '.join(name.split())}"
    return label if len(label) <= _LABEL else f"{label[: _LABEL - 1].rstrip()}…"


def as_chart(spec: Spec) -> alt.Chart:
    """Return the Altair chart of a specification; its ``save`` writes PNG, SVG and HTML without a browser."""
    import altair as alt

    return alt.Chart.from_dict(spec)


def _look() -> Spec:
    return {
        "locale": {"number": _NUMBERS[language()]},
        "font": _FONT,
        "background": "white",
        "padding": 12,
        "view": {"stroke": None, "continuousWidth": 560, "discreteWidth": 560, "continuousHeight": 260},
        "title": {"anchor": "start", "fontSize": 15, "fontWeight": 600, "color": _INK, "offset": 14},
        "axis": {
            "labelColor": _SOFT,
            "titleColor": _SOFT,
            "labelFontSize": 11.5,
            "titleFontSize": 11.5,
            "titleFontWeight": "normal",
            "gridColor": _LINE,
            "gridOpacity": 0.8,
            "domain": False,
            "ticks": False,
            "labelPadding": 6,
            "labelLimit": 280,
        },
        "axisX": {"labelAngle": 0, "labelOverlap": True},
        "legend": {
            "labelColor": _SOFT,
            "titleColor": _SOFT,
            "labelFontSize": 11.5,
            "titleFontSize": 11.5,
            "titleFontWeight": "normal",
            "symbolType": "square",
            "labelLimit": 320,
            "columns": {"expr": "containerSize()[0] < 560 ? 1 : 4"},
        },
        "text": {"color": _SOFT, "fontSize": 11},
        "bar": {"stroke": None},
    }


_NUMBERS: Mapping[str, Spec] = {
    "vi": {"decimal": ",", "thousands": ".", "grouping": [3], "currency": ["", ""], "minus": "-"},
    "en": {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["", ""], "minus": "-"},
}
