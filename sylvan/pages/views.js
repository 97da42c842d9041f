// The other charts of an exploration: all quantities at once, networks, estimates.
"use strict";

{
  const COLOURS = ["blue", "orange", "green", "purple", "yellow", "sky"];
  const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "x"];
  const here = (name) => document.getElementById(name);
  const distinct = (values) => [...new Set(values)];

  // One axis of the parallel coordinates, which knows neither logarithms nor names by itself.
  function dimension(quantity, drawn) {
    const values = drawn.map((k) => points.value(quantity, k));
    const label = charts.plain(quantity.title);
    if (!quantity.numeric) {
      const names = distinct(values);
      const places = values.map((value) => names.indexOf(value));
      const texts = names.map(charts.plain);
      return { label, values: places, tickvals: names.map((_, k) => k), ticktext: texts };
    }
    const few = distinct(values).sort((a, b) => a - b);
    const [low, high] = [few[0], few.at(-1)];
    const place = quantity.log ? Math.log10 : (value) => value;
    const steps = [0, 1, 2, 3, 4].map((k) => k / 4);
    const between = quantity.log
      ? steps.map((s) => low * (high / low) ** s)
      : steps.map((s) => low + s * (high - low));
    const ticks = few.length < 9 ? few : between;
    return {
      label,
      values: values.map(place),
      tickvals: ticks.map(place),
      ticktext: ticks.map((value) => points.written(quantity, Number(value.toPrecision(3)))),
    };
  }

  function parallel() {
    // The best come first among the points, and are drawn last.
    const drawn = points.standing.map((_, k) => k).slice(0, points.lines).reverse();
    const whole = (quantity) => drawn.every((k) => points.value(quantity, k) !== null);
    const varying = points.quantities.filter(
      (q) => q.values.length > 1 && whole(q) && !points.minor.includes(q.key),
    );
    const colours = standings.map(({ colour }, k) => [k / 2, charts.colour(colour)]);
    return {
      traces: [
        {
          type: "parcoords",
          dimensions: varying.map((quantity) => dimension(quantity, drawn)),
          line: { color: drawn.map((k) => points.standing[k]), cmin: 0, cmax: 2, colorscale: colours },
          labelangle: -20,
        },
      ],
      layout: { margin: { l: 60, r: 60, t: 96, b: 24 }, paper_bgcolor: charts.colour("paper") },
    };
  }

  // Networks over one of their sizes: all as marks, the best of each kind at each size on a line.
  function along(x) {
    const y = points.quantity(points.score);
    const kind = points.quantity(here("kinds")?.value);
    const kinds = kind ? distinct(points.networks.map((k) => points.value(kind, k))).sort() : [null];
    const better = points.lower ? Math.min : Math.max;
    const traces = kinds.flatMap((value, n) => {
      const own = points.networks.filter((k) => !kind || points.value(kind, k) === value);
      const sizes = distinct(own.map((k) => points.value(x, k))).sort((a, b) => a - b);
      const at = (size) => own.filter((k) => points.value(x, k) === size);
      const best = sizes.map((size) => better(...at(size).map((k) => points.value(y, k))));
      const name = kind ? charts.plain(`${kind.title} ${points.written(kind, value)}`) : "best";
      const look = { color: charts.colour(COLOURS[n]), symbol: SYMBOLS[n] };
      return [
        {
          x: own.map((k) => points.value(x, k)),
          y: own.map((k) => points.value(y, k)),
          mode: "markers",
          marker: { ...look, size: 6, opacity: 0.45 },
          text: own.map(points.told),
          hovertemplate: "%{text}<extra></extra>",
          legendgroup: name,
          showlegend: false,
        },
        {
          x: sizes,
          y: best,
          mode: "lines+markers",
          name,
          marker: { ...look, size: 9 },
          line: { width: 1.5 },
          legendgroup: name,
          hoverinfo: "skip",
        },
      ];
    });
    const xaxis = { ...points.axis(x), tickvals: distinct(x.values).sort((a, b) => a - b) };
    return { traces, layout: { xaxis, yaxis: points.axis(y) } };
  }

  // Estimates over measurements, beside the line on which they would agree.
  function compared(key, pairs) {
    const quantity = points.quantity(key);
    const both = pairs.flatMap(([, ...values]) => values);
    const ends = [Math.min(...both) * 0.9, Math.max(...both) * 1.1];
    const same = {
      x: ends,
      y: ends,
      mode: "lines",
      name: "the same",
      line: { color: charts.colour("quiet"), dash: "dot", width: 1.5 },
      hoverinfo: "skip",
    };
    const traces = points.targets.map((target, n) => {
      const own = pairs.filter(([k]) => points.target[k] === n);
      return {
        x: own.map(([, , measured]) => measured),
        y: own.map(([, estimate]) => estimate),
        mode: "markers",
        name: charts.plain(target),
        marker: { color: charts.colour(COLOURS[n % 6]), symbol: SYMBOLS[n % 6], size: 9 },
        text: own.map(([k]) => points.told(k)),
        hovertemplate:
          "estimate %{y:,.5~g}, measured %{x:,.5~g}<br>%{text}<extra></extra>",
      };
    });
    const axis = (what) => ({
      ...points.axis(quantity),
      title: { text: charts.plain(`${quantity.title}, ${what}`) },
    });
    return {
      traces: [same, ...traces.filter((trace) => trace.x.length)],
      layout: { xaxis: axis("measured"), yaxis: axis("estimated") },
    };
  }

  if (here("parallel")) charts.draw("parallel", parallel);
  for (const key of points.along) {
    const again = charts.draw(`along-${key}`, () => along(points.quantity(key)));
    here("kinds")?.addEventListener("change", again);
  }
  for (const [key, pairs] of Object.entries(points.compared)) {
    if (pairs.length) charts.draw(`compared-${key}`, () => compared(key, pairs));
  }
}
