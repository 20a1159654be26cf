"""One HTML file in both languages: style, script, charts and data inside, nothing from outside."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from capalloc.catalogue import LANGUAGES, language, say, speaking
from capalloc.drawing import Spec
from capalloc.report.pieces import Chapter, Choice, Figure, Headline, Table
from capalloc.writing import write_atomically


@dataclass(frozen=True, slots=True)
class Edition:
    """The report in one language: title, lines below it, headline numbers, summary and chapters."""

    title: str
    under: tuple[str, ...]
    headlines: tuple[Headline, ...]
    summary: tuple[str, ...]
    chapters: tuple[Chapter, ...]


def write_page(path: Path, make: Callable[[], Edition], lang: str | None) -> None:
    """Write a report as one HTML file.

    Parameters
    ----------
    make
        Makes the report in the language in force.
    lang
        The language in which it opens; ``None`` is the one in force.
    """
    write_atomically(path, page(make, lang))


def page(make: Callable[[], Edition], lang: str | None) -> str:
    """Return a report as one HTML page that holds every language and opens in one."""
    with speaking(lang):
        first = language()
    editions = {}
    for own in (first, *(other for other in LANGUAGES if other != first)):
        with speaking(own):
            editions[own] = _rendered(own, make())
    title = editions[first][0]
    template = _environment().get_template("page.html")
    html = template.render(
        first=first, title=title, editions={own: body for own, (_, body) in editions.items()}, **_embedded()
    )
    return str(html)


def _rendered(lang: str, edition: Edition) -> tuple[str, Any]:
    """The title and the body of an edition."""
    from markupsafe import Markup

    template = _environment().get_template("edition.html")
    body = template.render(lang=lang, edition=edition, say=say, known=LANGUAGES)
    return edition.title, Markup(body)  # noqa: S704  # the template has escaped what the tables say


def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("capalloc.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests |= {"table": _is(Table), "figure": _is(Figure), "choice": _is(Choice)}
    environment.filters |= {"spec": _as_json, "picture": _as_picture}
    return environment


def _is(kind: type) -> Callable[[Any], bool]:
    return lambda piece: isinstance(piece, kind)


def _embedded() -> dict[str, Any]:
    """The style and the scripts, which are no text of the tables and stand as they are."""
    from markupsafe import Markup

    folder = files("capalloc.report").joinpath("templates")
    style, script = (folder.joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    return {name: Markup(text) for name, text in {"style": style, "script": script, "vega": _vega()}.items()}  # noqa: S704


@cache
def _vega() -> str:
    """The library that draws charts, as one script."""
    import vl_convert

    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return bundle.replace("</script", "<\\/script")


def _as_json(spec: Spec) -> Any:
    """A figure as data of the page: without its title, which the page writes, and as wide as the page.

    It is compiled here, so that the page opens at once.
    """
    import vl_convert
    from markupsafe import Markup

    drawn = _for_page(spec) | {"width": "container", "autosize": {"type": "fit-x", "contains": "padding"}}
    text = json.dumps(vl_convert.vegalite_to_vega(drawn), ensure_ascii=False, separators=(",", ":"))
    # Nothing that the tables say may end the element that holds it.
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704


def _as_picture(spec: Spec) -> Any:
    """A figure as a picture, for readers and printers that run no scripts."""
    import vl_convert
    from markupsafe import Markup

    svg: str = vl_convert.vegalite_to_svg(_for_page(spec) | {"width": 720})
    # The chart is told by the element around it.
    return Markup(svg.replace("<svg ", '<svg aria-hidden="true" ', 1))  # noqa: S704  # the converter has escaped what the tables say


def _for_page(spec: Spec) -> Spec:
    config = spec["config"] | {"background": None, "padding": 4, "aria": False}
    return {name: part for name, part in spec.items() if name != "title"} | {"config": config}
