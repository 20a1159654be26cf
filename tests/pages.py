"""Reports as a program reads them, and as a reader in a browser does."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """The tables of a page by language and caption, as rows of texts; and every address that the page asks for."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.addresses = {}, []
        self.lang = self.cell = self.caption = None
        self.rows = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Begin an edition, a row or a cell, and keep addresses."""
        attributes = dict(attrs)
        self.addresses += [v for k, v in attrs if k in ("src", "href", "xlink:href", "action", "data")]
        if attributes.get("class") == "edition":
            self.lang = attributes["lang"]
        elif tag == "table":
            self.rows = []
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th", "caption"):
            self.cell = ""
        elif tag == "small":
            self.cell = None if self.cell is None else f"{self.cell}|"

    def handle_data(self, data):
        """Add to the cell."""
        if self.cell is not None:
            self.cell += data

    def handle_endtag(self, tag):
        """End a cell or a table."""
        if tag == "caption":
            self.caption = self.cell
        elif tag in ("td", "th") and self.cell is not None:
            self.rows[-1].append(self.cell.strip())
        elif tag == "table":
            self.tables[self.lang, self.caption] = self.rows
        if tag in ("td", "th", "caption"):
            self.cell = None

    def table(self, beginning, lang="en"):
        """Return the rows below the headings of the table whose caption begins so."""
        (rows,) = (
            rows for (own, caption), rows in self.tables.items() if own == lang and caption.startswith(beginning)
        )
        return rows[1:]


class Reader:
    """A page with what it wrote to the console and asked for."""

    def __init__(self, browser, path, **context):
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "locale": "vi-VN"} | context)
        self.page = self.context.new_page()
        self.said, self.asked = [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda fault: self.said.append(str(fault)))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())
        if context.get("java_script_enabled", True):
            self.wait()

    def wait(self):
        """Wait until every chart that can be seen is drawn."""
        seen = "[...document.querySelectorAll('.edition:not([hidden]) .chart')].filter(chart => chart.clientWidth)"
        drawn = "chart => chart.dataset.drawn && chart.querySelector('svg[aria-hidden]')"
        self.page.wait_for_function(f"{seen}.every({drawn})")

    def ids(self):
        """Return the ids of the projects that the table shows, in its order."""
        return self.page.locator(".edition:not([hidden]) .sought tbody tr:not([hidden]) th").all_inner_texts()

    def found(self):
        """Return what is told of the projects that are shown."""
        return self.page.locator(".edition:not([hidden]) .found").inner_text()
