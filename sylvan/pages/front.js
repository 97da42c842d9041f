// The scatter of points over two axes that the reader chooses, and the point that is kept below it.
"use strict";

{
  const MANY = 2000; // points, above which a browser draws them by WebGL
  const choice = (name) => document.getElementById(`front-${name}`).value;
  const all = points.standing.map((_, k) => k);
  const told = [];

  function marks(chosen, x, y, standing, measured) {
    const own = chosen.filter(
      (k) => points.standing[k] === standing && points.measured[k] === measured,
    );
    const { name, colour } = standings[standing];
    const at = (quantity) => own.map((k) => points.value(quantity, k));
    return {
      type: chosen.length > MANY ? "scattergl" : "scatter",
      mode: "markers",
      name: `${name}, ${measured ? "measured" : "estimated"}`,
      x: at(x),
      y: at(y),
      customdata: own,
      text: own.map((k) => (told[k] ??= points.told(k))),
      hovertemplate: "%{text}<extra></extra>",
      marker: {
        color: charts.colour(colour),
        symbol: measured ? "circle" : "circle-open",
        size: standing === 2 ? 10 : 7,
        line: { width: 1.5, color: charts.colour(colour) },
      },
    };
  }

  // A staircase from the best in x on: until the next point, nothing better in y is known.
  function line(chosen, x, y) {
    const signs = [x, y].map(({ key }) => ({ max: 1, min: -1 })[points.senses[key]]);
    if (!signs[0] || !signs[1] || x === y) return [];
    const front = chosen
      .filter((k) => points.standing[k] === 2)
      .map((k) => [points.value(x, k), points.value(y, k)])
      .sort((a, b) => signs[0] * (b[0] - a[0]) || signs[1] * (b[1] - a[1]));
    const best = [];
    for (const place of front) {
      if (!best.length || signs[1] * (place[1] - best.at(-1)[1]) > 0) best.push(place);
    }
    return [
      {
        type: "scatter",
        mode: "lines",
        name: "best of both",
        x: best.map((place) => place[0]),
        y: best.map((place) => place[1]),
        line: { shape: "hv", color: charts.colour("orange"), width: 1.5 },
        hoverinfo: "skip",
      },
    ];
  }

  function front() {
    const [x, y] = [points.quantity(choice("x")), points.quantity(choice("y"))];
    const target = points.targets.indexOf(choice("target"));
    const known = (k) => points.value(x, k) !== null && points.value(y, k) !== null;
    const chosen = all.filter((k) => points.target[k] === target && known(k));
    const kinds = [0, 1, 2].flatMap((standing) => [0, 1].map((measured) => [standing, measured]));
    const traces = kinds.map((kind) => marks(chosen, x, y, ...kind));
    return {
      traces: [...traces, ...line(chosen, x, y)].filter((trace) => trace.x.length),
      layout: { xaxis: points.axis(x), yaxis: points.axis(y), uirevision: `${x.key} ${y.key}` },
    };
  }

  const made = (name, text, ...children) => {
    const element = document.createElement(name);
    element.append(text, ...children);
    return element;
  };

  // Point k below the chart, with links to what it was made from and made into.
  function keep(k) {
    const lists = ["network", "schedule", "figures"].map((name) => {
      const rows = points
        .group(name, k)
        .map((quantity) =>
          made("div", "", made("dt", quantity.title), made("dd", points.shown(quantity, k))),
        );
      return made("div", "", made("h3", name), made("dl", "", ...rows));
    });
    const links = points.paths[k]
      .filter((path) => path)
      .flatMap((path) => {
        const link = made("a", path);
        link.href = path.split("/").map(encodeURIComponent).join("/");
        return [link, " "];
      });
    const place = document.getElementById("kept");
    place.replaceChildren(made("p", points.head(k)), made("p", "", ...links), ...lists);
  }

  const again = charts.draw("front", front);
  for (const name of ["x", "y", "target"]) {
    document.getElementById(`front-${name}`).addEventListener("change", again);
  }
  document.getElementById("front").on("plotly_click", ({ points: [hit] }) => keep(hit.customdata));
}
