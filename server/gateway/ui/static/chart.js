// Lines over the last minutes, drawn as SVG. Series differ by dash as well as by colour; a sentence
// says the same to screen readers, and a table stands beside every chart (live.js).
import { el, svg } from './dom.js';

const WIDTH = 380, HEIGHT = 132, LEFT = 44, RIGHT = 8, TOP = 8, BOTTOM = 20;

/** The next round number above: 1, 2 or 5 times a power of ten. */
export function ceiling(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value * (1 - 1e-9));
}

/** Runs of points without a gap: [[[place, value], ...], ...]. */
export function runs(values) {
  const found = [];
  let open = null;
  values.forEach((value, place) => {
    if (value === null) { open = null; return; }
    if (!open) found.push(open = []);
    open.push([place, value]);
  });
  return found;
}

/** `series`: [{name, kind, values}], oldest first, null where nothing was; `words` formats a value. */
export function chart({ title, series, minutes, words, summary }) {
  const top = ceiling(Math.max(0, ...series.flatMap((one) => one.values.filter((value) => value !== null))));
  const last = Math.max(1, series[0].values.length - 1);
  const x = (place) => LEFT + (WIDTH - LEFT - RIGHT) * place / last;
  const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
  const grid = [0, 0.5, 1].map((share) => svg('g', {},
    svg('line', { class: 'grid', x1: LEFT, x2: WIDTH - RIGHT, y1: y(share * top), y2: y(share * top) }),
    svg('text', { class: 'axis', x: LEFT - 6, y: y(share * top) + 3.5, 'text-anchor': 'end' }, words(share * top))));
  const ticks = Array.from({ length: minutes + 1 }, (_, index) => svg('text',
    { class: 'axis', x: x(last * index / minutes), y: HEIGHT - 5, 'text-anchor': index === minutes ? 'end' : index ? 'middle' : 'start' },
    index === minutes ? 'now' : `−${minutes - index} min`));
  const drawn = series.flatMap(({ kind, values }) => runs(values).map((run) => (run.length === 1
    ? svg('circle', { class: `dot-${kind}`, cx: x(run[0][0]), cy: y(run[0][1]), r: 1.6 })
    : svg('polyline', { class: `line line-${kind}`, points: run.map(([place, value]) => `${x(place).toFixed(1)},${y(value).toFixed(1)}`).join(' ') }))));
  return el('figure', { class: 'chart' },
    el('figcaption', {}, el('span', { class: 'chart-title', text: title }), legend(series)),
    svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': `${title}: ${summary}` }, grid, ticks, drawn));
}

const legend = (series) => el('span', { class: 'legend' }, series.map(({ name, kind }) => el('span', { class: 'key' },
  svg('svg', { viewBox: '0 0 18 6', width: 18, height: 6, 'aria-hidden': 'true' }, svg('line', { class: `line line-${kind}`, x1: 1, x2: 17, y1: 3, y2: 3 })), name)));
