// Tables that sort and are copied, and the data that came with the page.
"use strict";

const page = {
  data: () => JSON.parse(document.getElementById("data").textContent),
};

const tables = {
  // Numbers by size, text in a reader's order, and what is not known last in either order.
  compare(a, b, sign) {
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
    const numbers = [Number(a), Number(b)];
    if (numbers.every((x) => !Number.isNaN(x))) return sign * (numbers[0] - numbers[1]);
    return sign * a.localeCompare(b, undefined, { numeric: true });
  },

  sort(heading) {
    const body = heading.closest("table").tBodies[0];
    const order = heading.ariaSort === "ascending" ? "descending" : "ascending";
    for (const other of heading.parentElement.cells) other.ariaSort = null;
    heading.ariaSort = order;
    const sign = order === "ascending" ? 1 : -1;
    const value = (row) => row.cells[heading.cellIndex].dataset.value;
    body.append(...[...body.rows].sort((a, b) => tables.compare(value(a), value(b), sign)));
  },

  csv(table) {
    const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    const line = (cells, said) => [...cells].map((cell) => quoted(said(cell))).join(",") + "\n";
    const head = line(table.tHead.rows[0].cells, (cell) => cell.textContent);
    const rows = [...table.tBodies[0].rows].map((row) =>
      line(row.cells, (cell) => cell.dataset.value ?? ""),
    );
    return head + rows.join("");
  },

  async copy(button) {
    const table = button.closest(".table").querySelector("table");
    const said = button.parentElement.querySelector("output");
    try {
      await navigator.clipboard.writeText(tables.csv(table));
      said.textContent = `${table.tBodies[0].rows.length} rows copied`;
    } catch {
      said.textContent = "The browser does not let this page copy.";
    }
  },
};

document.addEventListener("click", (event) => {
  const heading = event.target.closest("th");
  const button = event.target.closest("button.copy");
  if (heading) tables.sort(heading);
  if (button) tables.copy(button);
});
