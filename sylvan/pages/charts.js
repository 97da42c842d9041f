// Charts in the page's own colours, drawn again where the reader changes between light and dark.
"use strict";

const charts = {
  drawn: [],

  // A colour of page.css, such as "ink" for --ink.
  colour: (name) =>
    getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim(),

  // Text for plotly, which takes titles, names and texts for markup.
  plain: (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;"),

  // Draws what `make` returns, {traces, layout}; call the result to draw it anew.
  draw(place, make) {
    const element = document.getElementById(place);
    const again = () => {
      const { traces, layout } = make();
      return Plotly.react(element, traces, charts.layout(layout), {
        responsive: true,
        displayModeBar: false,
      });
    };
    charts.drawn.push(again);
    again();
    return again;
  },

  layout(own) {
    const family = getComputedStyle(document.body).fontFamily;
    const axis = {
      gridcolor: charts.colour("grid"),
      linecolor: charts.colour("rule"),
      zeroline: false,
      automargin: true,
    };
    return {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: charts.colour("ink"), family },
      margin: { l: 16, r: 16, t: 16, b: 16 },
      hovermode: "closest",
      hoverlabel: {
        align: "left",
        bgcolor: charts.colour("raised"),
        bordercolor: charts.colour("rule"),
        font: { color: charts.colour("ink"), family },
      },
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
      ...own,
      xaxis: { ...axis, ...own.xaxis },
      yaxis: { ...axis, ...own.yaxis },
    };
  },
};

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
  charts.drawn.forEach((again) => again()),
);
