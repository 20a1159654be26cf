"use strict";
(() => {
  const all = (root, selector) => [...root.querySelectorAll(selector)];
  const editions = all(document, ".edition");
  const shown = () => editions.find((edition) => !edition.hidden);
  const numbers = () => new Intl.NumberFormat(shown().lang, { maximumFractionDigits: 3 });

  // Charts: drawn when they can be seen, since a hidden one has no width.
  const hover = document.getElementById("hover");
  const tell = (handler, event, item, value) => {
    hover.hidden = value === null || value === undefined || value === "";
    if (hover.hidden) return;
    const rows = typeof value === "object" ? Object.entries(value) : [["", value]];
    hover.replaceChildren(...rows.map(([name, text]) => {
      const row = document.createElement("div"), title = document.createElement("b");
      title.textContent = text;
      row.append(name ? `${name}: ` : "", title);
      return row;
    }));
    const left = Math.min(event.pageX + 14, window.scrollX + document.documentElement.clientWidth - hover.offsetWidth - 8);
    hover.style.left = `${Math.max(8, left)}px`;
    hover.style.top = `${event.pageY + 16}px`;
  };
  const draw = (figure) => {
    const chart = figure.querySelector(".chart");
    if (chart.dataset.drawn || !chart.clientWidth) return;
    chart.dataset.drawn = "yes";
    const spec = JSON.parse(figure.querySelector(".spec").textContent);
    chart.replaceChildren();
    vegaEmbed(chart, spec, { mode: "vega", renderer: "svg", actions: false, defaultStyle: false, tooltip: tell, logLevel: 1 })
      .then(() => chart.querySelector("svg").setAttribute("aria-hidden", "true"));
  };
  const drawAll = () => all(shown(), "figure").forEach(draw);
  document.addEventListener("toggle", drawAll, true);

  // Languages: both are in the file, one is shown.
  const speak = (lang) => {
    const place = location.hash.slice(1).replace(/^[a-z]+-/, "");
    editions.forEach((edition) => { edition.hidden = edition.lang !== lang; });
    document.documentElement.lang = lang;
    document.title = shown().querySelector("h1").textContent;
    drawAll();
    const target = place && document.getElementById(`${lang}-${place}`);
    if (target) target.scrollIntoView();
  };
  all(document, "[data-language]").forEach((button) => button.addEventListener("click", () => {
    speak(button.dataset.language);
    shown().querySelector(`[data-language="${button.dataset.language}"]`).focus({ preventScroll: true });
  }));
  all(document, "[data-print]").forEach((button) => button.addEventListener("click", () => window.print()));

  // Tables: sorted by a heading, from the least on; once more, from the greatest.
  const key = (row, place) => {
    const cell = row.cells[place];
    return cell.dataset.order ?? cell.firstChild?.textContent ?? "";
  };
  const sort = (table, place) => {
    const heads = table.tHead.rows[0].cells, body = table.tBodies[0];
    const down = heads[place].getAttribute("aria-sort") === "ascending";
    const words = new Intl.Collator(shown().lang, { numeric: true });
    const rows = [...body.rows].map((row) => [key(row, place), row]);
    const plain = rows.every(([text]) => text !== "" && !Number.isNaN(Number(text)));
    rows.sort(([a], [b]) => (plain ? a - b : words.compare(a, b)) * (down ? -1 : 1));
    [...heads].forEach((head) => head.setAttribute("aria-sort", "none"));
    heads[place].setAttribute("aria-sort", down ? "descending" : "ascending");
    body.append(...rows.map(([, row]) => row));
  };
  all(document, "table.sorted").forEach((table) => [...table.tHead.rows[0].cells].forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => sort(table, place));
  }));

  // Choosing rows: by words, which need not carry their accents, and by what rows have in common.
  const bare = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").replace(/đ/gi, "d").toLowerCase();
  all(document, ".sought").forEach((box) => {
    const form = box.querySelector("form"), found = box.querySelector(".found");
    const rows = [...box.querySelector("tbody").rows].map((row) => [row, bare(row.textContent)]);
    const choose = () => {
      const words = bare(form.querySelector("input").value).split(/\s+/).filter(Boolean);
      const facets = all(form, "select").filter((select) => select.value);
      let count = 0, amount = 0;
      rows.forEach(([row, text]) => {
        const fits = words.every((word) => text.includes(word))
          && facets.every((select) => row.dataset[select.dataset.facet] === select.value);
        row.hidden = !fits;
        count += fits ? 1 : 0;
        amount += fits ? Number(row.dataset.amount ?? 0) : 0;
      });
      const told = { shown: count, of: rows.length, amount: amount / Number(found.dataset.size) };
      found.textContent = found.dataset.found.replace(/\{(\w+)\}/g, (_, name) => numbers().format(told[name]));
    };
    form.addEventListener("input", choose);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(choose));
    form.hidden = false;
    found.hidden = false;
    choose();
  });

  // One of several parts, chosen by its name; in the other language the same one.
  const choose = (number) => all(document, ".choice").forEach((choice) => {
    choice.querySelector("select").value = number;
    choice.querySelector("label").hidden = false;
    all(choice, ".option").forEach((option, place) => { option.hidden = String(place) !== number; });
  });
  all(document, ".choice select").forEach((select) => select.addEventListener("change", () => {
    choose(select.value);
    drawAll();
  }));
  choose("0");

  // Printing: what is folded is printed too.
  let folded = [];
  window.addEventListener("beforeprint", () => {
    folded.push(...all(shown(), "details:not([open])"));
    folded.forEach((details) => { details.open = true; });
    drawAll();
  });
  window.addEventListener("afterprint", () => {
    folded.forEach((details) => { details.open = false; });
    folded = [];
  });

  all(document, ".tools").forEach((tools) => { tools.hidden = false; });
  drawAll();
})();
