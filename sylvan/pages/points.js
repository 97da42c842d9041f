// The points of an exploration: their values, how they are written, and what is said of one.
"use strict";

const points = {
  ...page.data(),

  quantity: (key) => points.quantities.find((quantity) => quantity.key === key),

  // A column that never changes is kept as one value.
  value: (quantity, k) => quantity.values[quantity.values.length === 1 ? 0 : k],

  written(quantity, value) {
    if (value === null) return "\u2013";
    if (!quantity.numeric) return value;
    const places = { minimumFractionDigits: quantity.decimals, maximumFractionDigits: quantity.decimals };
    quantity.format ??= new Intl.NumberFormat("en", places);
    return quantity.format.format(value);
  },

  shown(quantity, k) {
    const guess = quantity.guessed?.[k] ? "\u2248\u202f" : "";
    return guess + points.written(quantity, points.value(quantity, k));
  },

  // The quantities of network, schedule or figures that point k has.
  group: (name, k) =>
    points.quantities.filter(
      (quantity) => quantity.key.startsWith(`${name}.`) && points.value(quantity, k) !== null,
    ),

  head: (k) =>
    [
      points.targets[points.target[k]],
      standings[points.standing[k]].name,
      points.measured[k] ? "placed and measured" : "estimated",
    ].join(", "),

  // What is shown beside point k: all of its configuration, in lines that fit a phone.
  told(k) {
    const lines = [`<b>${charts.plain(points.head(k))}</b>`];
    for (const name of ["network", "schedule", "figures"]) {
      let line = `<i>${name}</i>`;
      for (const quantity of points.group(name, k)) {
        const said = charts.plain(`${quantity.title} ${points.shown(quantity, k)}`);
        if (line.length + said.length > 56) {
          lines.push(`${line},`);
          line = said;
        } else {
          line += (line.endsWith("</i>") ? ": " : ", ") + said;
        }
      }
      lines.push(line);
    }
    if (points.quantities.some((quantity) => quantity.guessed?.[k])) lines.push("\u2248 estimate");
    return lines.join("<br>");
  },

  // On a narrow screen, decades alone are marked.
  axis(quantity) {
    const known = quantity.values.filter((value) => value !== null);
    const decades = Math.log10(Math.max(...known) / Math.min(...known));
    const log = { type: "log", dtick: decades > innerWidth / 200 ? 1 : "D2", tickformat: "~s" };
    return {
      title: { text: charts.plain(quantity.title) },
      ...(quantity.log ? log : { type: "linear" }),
    };
  },
};

// By `standing`: name, and the colour of page.css.
const standings = [
  { name: "misses a constraint", colour: "faint" },
  { name: "meets the constraints", colour: "blue" },
  { name: "on the front", colour: "orange" },
];
