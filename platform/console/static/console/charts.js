// Draws each `.plot` of the page with uPlot, from the numbers in it, in the page's own colours.

const HEIGHT = 190;
const LABEL_WIDTH = 64;
const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE;

// As the server rounds. What is rounded comes as a string: a number's last bits would break a tie.
function rounded(places, more = {}) {
  return new Intl.NumberFormat("en-US", { maximumFractionDigits: places, roundingMode: "halfEven", ...more });
}
const dollar = { style: "currency", currency: "USD" };
const whole = rounded(0), tenths = rounded(1);
const cents = rounded(2, dollar), frames = rounded(5, { ...dollar, minimumFractionDigits: 5 });

// How a value of each unit is written, as in the tables (`formatting.py`), and how far apart its axis's rules may be;
// for money uPlot knows.
const UNITS = {
  count: { show: (number) => whole.format(number), incrs: scaled([1, 2, 5], 0, 9) },
  ms: {
    show: duration,
    incrs: [
      ...scaled([1, 2, 5], 0, 2),
      ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * SECOND),
      ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
      ...scaled([1, 2, 5], 0, 4).map((hours) => hours * HOUR),
    ],
  },
  usd: { show: dollars },
};

function scaled(steps, from, to) {
  const powers = Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index));
  return powers.flatMap((power) => steps.map((step) => step * power));
}

function duration(ms) {
  if (ms < SECOND) return ms ? `${Math.round(ms)} ms` : "0 s";
  if (ms < MINUTE) return `${tenths.format((ms / SECOND).toFixed(3))} s`;
  const hours = Math.floor(ms / HOUR), minutes = Math.floor((ms % HOUR) / MINUTE);
  if (hours) return minutes ? `${whole.format(hours)} h ${minutes} min` : `${whole.format(hours)} h`;
  const seconds = Math.floor((ms % MINUTE) / SECOND);
  return seconds ? `${minutes} min ${seconds} s` : `${minutes} min`;
}

function dollars(amount) {
  const exact = amount.toFixed(9);
  return (amount >= 1 || exact.endsWith("0000000") ? cents : frames).format(exact);
}

// The amounts of an axis, all with as many places as the finest of them needs.
function amounts(values) {
  const needed = (value) => (value.toFixed(9).replace(/0+$/, "").split(".")[1] ?? "").length;
  const places = Math.max(2, ...values.map(needed));
  const format = rounded(places, { ...dollar, minimumFractionDigits: places });
  return values.map((value) => format.format(value.toFixed(9)));
}

// A custom property is resolved only where something is painted with it.
function colour(name) {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = `var(${name})`;
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

// Each series on top of those before it.
function stacked(series) {
  const sums = series[0].map(() => 0);
  return series.map((values) => values.map((value, step) => (sums[step] += value)));
}

function draw(place) {
  const { shape, unit, steps, series } = JSON.parse(place.querySelector("script").textContent);
  const values = series.map((each) => each.values.map((value) => (value === null ? null : Number(value))));
  const { show, incrs } = UNITS[unit];
  const bars = shape === "bars";
  const heights = bars ? stacked(values) : values;
  // The highest first: what is drawn later covers it up to its own height.
  const order = [...series.keys()].reverse();
  const axis = {
    stroke: colour("--soft"),
    font: `11px ${getComputedStyle(document.body).fontFamily}`,
    ticks: { show: false },
  };

  const said = place.parentElement.querySelector("[data-said]");
  const named = [...place.parentElement.querySelectorAll(".legend b")];
  const total = (said.dataset.said ||= said.textContent);
  function say({ cursor: { idx } }) {
    const write = (value) => (value === null ? "–" : show(value));
    const sum = bars && idx !== null ? `: ${show(heights.at(-1)[idx])}` : "";
    said.textContent = idx === null ? total : steps[idx] + sum;
    named.forEach((place, index) => { place.textContent = idx === null ? "" : write(values[index][idx]); });
  }

  const bar = { width: 0, paths: uPlot.paths.bars({ size: [0.75, 48] }), points: { show: false } };
  // A value with nothing beside it makes no line: it is a point. uPlot leaves points out where steps are dense.
  const alone = (_, index) => {
    const of = heights[order[index - 1]];
    return [...of.keys()].filter((step) => of[step] !== null && (of[step - 1] ?? null) === null && (of[step + 1] ?? null) === null);
  };
  const points = { show: true, size: 7, filter: alone };
  const drawnAs = (index, paint) => (bars ? { ...bar, fill: paint } : { width: 2, points: { ...points, fill: paint }, dash: index ? [6, 4] : undefined });
  const options = {
    width: place.clientWidth,
    height: HEIGHT,
    padding: [8, 0, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false }, y: false, points: { show: !bars } },
    hooks: { setCursor: [say] },
    scales: {
      x: { time: false, range: [-0.5, steps.length - 0.5] },
      y: { range: (_, low, high) => [0, (high || 1) * 1.05] },
    },
    axes: [
      {
        ...axis,
        size: 24,
        grid: { show: false },
        splits: ({ width }) => {
          const every = Math.ceil((steps.length * LABEL_WIDTH) / width);
          return [...steps.keys()].filter((step) => step % every === 0);
        },
        values: (_, splits) => splits.map((step) => steps[step]),
      },
      {
        ...axis,
        size: (_, texts) => 14 + 6.5 * Math.max(0, ...(texts ?? []).map((text) => text.length)),
        grid: { stroke: colour("--line"), width: 1 },
        incrs,
        values: (_, splits) => (unit === "usd" ? amounts(splits) : splits.map(show)),
      },
    ],
    series: [
      {},
      ...order.map((index) => {
        const paint = colour(`--s${index}`);
        return { stroke: paint, ...drawnAs(index, paint) };
      }),
    ],
  };
  return new uPlot(options, [[...steps.keys()], ...order.map((index) => heights[index])], place);
}

let drawn = [];
function drawAll() {
  drawn.forEach((chart) => chart.destroy());
  drawn = [...document.querySelectorAll(".plot")].map(draw);
}

drawAll();
new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["data-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
addEventListener("resize", () => {
  drawn.forEach((chart) => chart.setSize({ width: chart.root.parentElement.clientWidth, height: HEIGHT }));
});
