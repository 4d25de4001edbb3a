// Traffic and latency of the last minutes, queues of this moment.
import { read, Refused } from './api.js';
import { chart } from './chart.js';
import { at, el, empty, problem, scroller, table } from './dom.js';
import { milliseconds, whole } from './format.js';
import { poll } from './poll.js';
import { onStatus, status } from './status.js';

const EVERY_MS = 2000, MAX_ROWS = 30;
let shown = false, paused = false, tableOpen = false;
let queue = [];
const again = poll(refresh, () => EVERY_MS);

export const liveView = {
  start() {
    at('live-pause').addEventListener('click', () => {
      paused = !paused;
      at('live-pause').setAttribute('aria-pressed', String(paused));
      if (paused) again.stop(); else again.start();
    });
    onStatus((_, changed) => { if (changed && shown) refresh(); });
  },
  show() { shown = true; if (!paused) again.start(); },
  hide() { shown = false; again.stop(); },
};

async function refresh() {
  if (!status.known) return;
  if (!status.viewer.admin) {
    at('live-body').replaceChildren(empty('Traffic is shown to the admin. Open “Keys” above and type the admin key.'));
    return;
  }
  try {
    draw(await read('/ui/api/live'));
  } catch (err) {
    if (!(err instanceof Refused)) throw err;
    at('live-body').replaceChildren(problem(err.message));
  }
}

function draw(live) {
  queue = [...queue, { running: live.in_flight, waiting: live.queue?.waiting ?? 0 }].slice(-live.steps.length);
  const scroll = at('live-body').querySelector('.live-steps .scroll')?.scrollTop ?? 0;
  at('live-body').replaceChildren(tiles(live), el('div', { class: 'charts' }, ...charts(live)), byAdapter(live.adapters), steps(live));
  const box = at('live-body').querySelector('.live-steps .scroll');
  if (box) box.scrollTop = scroll;
}

function tiles(live) {
  const total = live.steps.reduce((sum, step) => sum + step.requests, 0);
  const failed = live.steps.reduce((sum, step) => sum + step.failed, 0);
  const pairs = [['Being served', whole(live.in_flight)], ['Requests', whole(total)], ['Failed', whole(failed)]];
  if (live.queue) pairs.splice(1, 0, ['Waiting', whole(live.queue.waiting)], ['Longest wait', milliseconds(1000 * live.queue.oldest_wait_s)]);
  return el('dl', { class: 'tiles' }, pairs.map(([name, value]) => el('div', {}, el('dt', { text: name }), el('dd', { text: value }))));
}

function charts({ steps: found, step_s: seconds }) {
  const minutes = Math.round(found.length * seconds / 60);
  const rate = found.map((step) => step.requests / seconds), bad = found.map((step) => step.failed / seconds);
  const of = (key) => found.map((step) => step[key]);
  const kept = [...Array(found.length - queue.length).fill({ running: null, waiting: null }), ...queue];
  const perSecond = (value) => (value < 10 && value % 1 ? value.toFixed(1) : whole(Math.round(value)));
  const most = (values) => Math.max(0, ...values.filter((value) => value !== null));
  return [
    chart({ title: 'Requests a second', minutes, words: perSecond, summary: `highest ${perSecond(most(rate))}, failed at most ${perSecond(most(bad))}`,
      series: [{ name: 'all', kind: 'a', values: rate }, { name: 'failed', kind: 'bad', values: bad }] }),
    chart({ title: 'Latency', minutes, words: milliseconds, summary: `95th percentile at most ${milliseconds(most(of('p95_ms')))}`,
      series: [{ name: 'median', kind: 'a', values: of('p50_ms') }, { name: '95 %', kind: 'b', values: of('p95_ms') }, { name: 'first word', kind: 'c', values: of('ttft_p50_ms') }] }),
    chart({ title: 'In hand, since opening', minutes, words: perSecond, summary: `at most ${most(kept.map((one) => one.running))} being served and ${most(kept.map((one) => one.waiting))} waiting`,
      series: [{ name: 'being served', kind: 'a', values: kept.map((one) => one.running) }, { name: 'waiting', kind: 'b', values: kept.map((one) => one.waiting) }] }),
  ];
}

const FIGURES = [['Requests', 'number'], ['Failed', 'number'], ['Median', 'number'], ['95 %', 'number'], ['First word', 'number'], ['Tokens in', 'number'], ['Tokens out', 'number']];
const figures = (one) => [whole(one.requests), whole(one.failed), milliseconds(one.p50_ms), milliseconds(one.p95_ms), milliseconds(one.ttft_p50_ms), whole(one.prompt_tokens), whole(one.completion_tokens)];

function byAdapter(adapters) {
  if (!adapters.length) return empty('No request has ended in the last five minutes.');
  const rows = adapters.map((one) => [one.adapter || el('span', { class: 'quiet-words', text: 'refused before a skill was found' }), ...figures(one)]);
  return el('section', { 'aria-labelledby': 'live-adapters' }, el('h3', { id: 'live-adapters', text: 'By skill' }),
    scroller('Traffic by skill', table('Traffic by skill, last five minutes', [['Skill', 'wide'], ...FIGURES], rows)));
}

/** The charts' figures as a table: steps in which something ended, the newest first. */
function steps({ steps: found, step_s: seconds }) {
  const rows = found.map((step, place) => [`${(found.length - place) * seconds} s ago`, step]).filter(([, step]) => step.requests).reverse().slice(0, MAX_ROWS)
    .map(([when, step]) => [when, ...figures(step)]);
  return el('details', { class: 'more live-steps', open: tableOpen, on: { toggle: (event) => { tableOpen = event.target.open; } } },
    el('summary', { text: 'The charts as a table' }),
    rows.length ? scroller('Traffic by time', table('Traffic by time, the newest first', [['When', ''], ...FIGURES], rows)) : empty('Nothing has ended yet.'));
}
