// Engines beside adapters: which adapter is in a batch slot, in host memory, pinned, in use.
import { read, Refused } from './api.js';
import { at, el, empty, facts, problem, scroller, table } from './dom.js';
import { count } from './format.js';
import { poll } from './poll.js';
import { onStatus, status } from './status.js';

const EVERY_MS = 2000;
let shown = false, drawn = '';
const again = poll(refresh, () => EVERY_MS);

export const residentView = {
  start() { onStatus((_, changed) => { if (changed && shown) refresh(); }); },
  show() { shown = true; again.start(); },
  hide() { shown = false; again.stop(); },
};

async function refresh() {
  if (!status.known) return;
  if (!status.viewer.admin) {
    put(empty('What is resident is shown to the admin. Open “Keys” above and type the admin key.'), '');
    return;
  }
  try {
    draw(await read('/ui/api/resident'));
  } catch (err) {
    if (!(err instanceof Refused)) throw err;
    put(problem(err.message), '');
  }
}

function put(node, words) {
  drawn = '';
  at('resident-count').textContent = words;
  at('resident-body').replaceChildren(node);
}

/** Only what has changed is drawn again: a reader keeps the place. */
function draw(found) {
  const now = JSON.stringify(found);
  if (now === drawn) return;
  const loaded = found.adapters.filter((one) => one.declared).length;
  put(el('div', {}, el('div', { class: 'engines' }, found.engines.map(engine)), matrix(found)),
    `${count(found.engines.length, 'engine')}, ${count(loaded, 'adapter')} declared`);
  drawn = now;
}

function engine(one) {
  const held = one.held;
  const known = held === null ? [['Adapters', one.ready ? 'this engine does not tell' : null]] : [
    ['Slots', meter(held.slots.length, held.max_loras)],
    ['Host memory', meter(held.host.length, held.max_cpu_loras)],
    ['Pinned', String(held.pinned.length)],
    ['Largest rank', String(held.max_lora_rank)],
  ];
  return el('section', { class: `engine ${usable(one) ? 'up' : 'down'}`, 'aria-label': `Engine ${one.index}` },
    el('h3', {}, `Engine ${one.index} `, el('span', { class: `state ${usable(one) ? 'yes' : 'no'}`, text: standing(one) })),
    facts([...known, ['Running answers', String(one.in_flight)], ['Address', el('code', { text: one.url })], ['Process', one.pid === null ? 'not ours' : String(one.pid)], ['Restarts', one.restarts ? String(one.restarts) : null]], 'facts small'));
}

const usable = (one) => one.ready && one.standing !== 'down';
const standing = (one) => (!one.ready ? 'down' : one.draining ? 'draining' : one.standing === 'up' ? 'ready' : one.standing);

const meter = (used, most) => el('span', { class: 'with-meter' },
  el('meter', { min: 0, max: Math.max(most, 1), value: used, 'aria-hidden': 'true' }), `${used} of ${most}`);

function matrix({ engines, adapters }) {
  const others = strangers(engines, adapters);
  if (!adapters.length && !others.length) return empty('No adapter is loaded: the first request for one loads it.');
  const columns = [['Adapter', 'wide'], ...engines.map((one) => [`Engine ${one.index}`, '']), ['In use', 'number'], ['State', '']];
  const rows = [...adapters, ...others].map((one) => [
    el('span', {}, el('span', { class: 'name', text: one.ref }), el('code', { class: 'about', text: one.name })),
    ...engines.map((each) => where(each, one.name, one.on)),
    one.in_use === null ? '–' : String(one.in_use),
    one.in_use === null ? 'not declared' : one.retired ? 'leaves when unused' : one.declared ? 'declared' : 'loading',
  ]);
  return scroller('Adapters by engine', table('Adapters by engine', columns, rows));
}

/** Adapters that an engine holds and the gateway has not declared. */
function strangers(engines, adapters) {
  const known = new Set(adapters.map((one) => one.name));
  const held = engines.flatMap((one) => (one.held ? [...one.held.slots, ...one.held.host] : []));
  return [...new Set(held)].filter((name) => !known.has(name)).sort().map((name) => ({ name, ref: name, in_use: null }));
}

function where({ held, ready, url }, name, on = []) {
  if (held === null) return el('span', { class: 'quiet-words', text: !ready ? 'down' : on.includes(url) ? 'loaded' : '–' });
  const place = held.slots.includes(name) ? 'slot' : held.host.includes(name) ? 'host' : null;
  const pin = held.pinned.includes(name) ? el('span', { class: 'tag', text: 'pinned' }) : null;
  return el('span', {}, el('span', { class: `place place-${place}`, text: place ?? '–' }), pin);
}
