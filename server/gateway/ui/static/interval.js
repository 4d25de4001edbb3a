// A share with its interval as a line on a scale from 0 to 1. The words beside it say the same, so
// screen readers pass it by.
import { el, svg } from './dom.js';
import { percent } from './format.js';

const WIDTH = 96, HEIGHT = 12, PAD = 4;
const x = (share) => PAD + Math.min(1, Math.max(0, share)) * (WIDTH - 2 * PAD);

export function glyph({ mean, low, high, role }) {
  const middle = HEIGHT / 2;
  return svg('svg', { class: `interval role-${role}`, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, 'aria-hidden': 'true' },
    svg('line', { class: 'scale', x1: PAD, x2: WIDTH - PAD, y1: middle, y2: middle }),
    [0, 0.5, 1].map((at) => svg('line', { class: 'tick', x1: x(at), x2: x(at), y1: middle - 2, y2: middle + 2 })),
    low === null ? null : svg('line', { class: 'range', x1: x(low), x2: x(high), y1: middle, y2: middle }),
    svg('circle', { class: 'point', cx: x(mean), cy: middle, r: 3 }));
}

/** "86.8 – 96.1 %" or nothing. */
export const range = ({ low, high }) => (low === null ? '' : `${(100 * low).toFixed(1)} – ${percent(high)}`);

/** The figure of a row: a glyph, the share, its interval. */
export function figure(arm) {
  return el('span', { class: 'figure' }, glyph(arm),
    el('span', { class: 'share', text: percent(arm.mean) }),
    el('span', { class: 'range-words', text: range(arm) ? `(${range(arm)})` : '' }));
}
