"""Write again what can be made: the pages of the tables, and what the examples of all pages print."""

from docs.making.pages import pages, rerun
from docs.making.tables import PAGES, described

for _language, _page in PAGES.items():
    _page.write_text(described(_language), encoding="utf-8")
for _page in pages():
    _page.write_text(rerun(_page), encoding="utf-8")
