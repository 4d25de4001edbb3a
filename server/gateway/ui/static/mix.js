// Two adapters with weights, as one `model` string; its answer beside that of each alone.
import { answerCard } from './answer.js';
import { at, el, empty, say } from './dom.js';
import { expression } from './format.js';
import { adapters, models } from './names.js';
import { submitOnCtrlEnter } from './playground.js';
import { onStatus } from './status.js';

const MAX_TOKENS = 128;
let running = null, wanted = '';

export const mixView = {
  start() {
    pair('mix-wa', 'mix-na');
    pair('mix-wb', 'mix-nb');
    for (const id of ['mix-a', 'mix-b', 'mix-exact']) at(id).addEventListener('change', draw);
    at('mix-form').addEventListener('submit', (event) => { event.preventDefault(); compare(); });
    at('mix-text').addEventListener('keydown', submitOnCtrlEnter);
    at('mix-stop').addEventListener('click', () => running?.abort());
    at('mix-copy').addEventListener('click', copy);
    onStatus((_, changed) => { if (changed) offer(); });
    at('mix-answers').replaceChildren(empty('Three answers appear here: the first alone, the mix, the second alone.'));
  },
  show(rest) { wanted = rest; offer(); },
  hide() {},
};

/** A slider and a number that say the same; the number reaches further. */
function pair(slider, number) {
  at(slider).addEventListener('input', () => { at(number).value = at(slider).value; draw(); });
  at(number).addEventListener('input', () => { at(slider).value = at(number).value; draw(); });
}

async function offer() {
  const names = adapters(await models());
  for (const [id, place] of [['mix-a', 0], ['mix-b', 1]]) {
    const before = place === 0 && names.includes(wanted) ? wanted : at(id).value;
    at(id).replaceChildren(...names.map((name) => el('option', { value: name, text: name })));
    at(id).value = names.includes(before) ? before : names[Math.min(place, names.length - 1)] ?? '';
  }
  if (names.length > 1 && at('mix-a').value === at('mix-b').value) at('mix-b').value = names.find((name) => name !== at('mix-a').value);
  wanted = '';
  at('mix-form').querySelector('[type=submit]').disabled = !names.length;
  draw();
}

const terms = () => [['mix-a', 'mix-na'], ['mix-b', 'mix-nb']].map(([name, weight]) => ({ name: at(name).value, weight: Number(at(weight).value) || 0 }));

function model() {
  return expression(merged(terms()), { exact: at('mix-exact').checked });
}

/** The same adapter twice is one term. */
function merged([first, second]) {
  return first.name === second.name ? [{ name: first.name, weight: first.weight + second.weight }] : [first, second];
}

function draw() {
  at('mix-model').value = at('mix-a').value ? model() : 'no adapter is stored yet';
}

async function copy() {
  try {
    await navigator.clipboard.writeText(model());
    say('Copied the model string.');
    at('mix-copy').textContent = 'Copied';
  } catch {
    getSelection().selectAllChildren(at('mix-model'));
    say('Could not copy; the model string is selected.');
  }
  setTimeout(() => { at('mix-copy').textContent = 'Copy'; }, 1500);
}

async function compare() {
  if (running) return;
  const [first, second] = terms();
  const asked = [[`${first.name} alone`, `${first.name}:adapter`], ['Mix', model()], [`${second.name} alone`, `${second.name}:adapter`]];
  const cards = asked.map(([title, name]) => ({ name, ...answerCard({ title }) }));
  at('mix-answers').replaceChildren(...cards.map((card) => {
    card.node.querySelector('.answer-title').after(el('code', { class: 'asked-for', text: card.name }));
    return card.node;
  }));
  running = new AbortController();
  busy(true);
  const messages = [{ role: 'user', content: at('mix-text').value }];
  await Promise.all(cards.map((card) => card.run(
    { model: card.name, messages, max_tokens: MAX_TOKENS, temperature: 0 }, { signal: running.signal })));
  running = null;
  busy(false);
  say('All three answers have ended.');
}

function busy(on) {
  at('mix-stop').disabled = !on;
  at('mix-form').querySelector('[type=submit]').disabled = on;
}
