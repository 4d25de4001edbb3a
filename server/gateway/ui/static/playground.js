// Ask one model at a time; each answer says who gave it and why.
import { answerCard } from './answer.js';
import { at, el, empty } from './dom.js';
import { models, offered } from './names.js';
import { onStatus, status } from './status.js';

let running = null, turns = [];

export const playgroundView = {
  start() {
    at('ask-form').addEventListener('submit', (event) => { event.preventDefault(); ask(); });
    at('ask-text').addEventListener('keydown', submitOnCtrlEnter);
    at('ask-stop').addEventListener('click', () => running?.abort());
    at('ask-clear').addEventListener('click', clear);
    onStatus((_, changed) => { if (changed) offer(); });
    clear();
  },
  show(rest) {
    if (rest) { at('ask-model').value = rest; at('ask-text').focus(); }
    offer();
  },
  hide() {},
};

export function submitOnCtrlEnter(event) {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.target.form.requestSubmit();
}

async function offer() {
  const found = await models();
  at('models').replaceChildren(...offered(found).map((name) => el('option', { value: name })));
  if (!at('ask-model').value && found.length) at('ask-model').value = status.auto ? 'auto' : found[0].id;
}

function clear() {
  running?.abort();
  turns = [];
  at('talk').replaceChildren(empty('Answers appear here, the newest first, each with the skill, form and version that gave it.'));
}

async function ask() {
  if (running) return;
  const question = at('ask-text').value, model = at('ask-model').value.trim();
  const card = answerCard({ title: model, question, level: 'h4' });
  if (!at('talk').querySelector('.answer')) at('talk').replaceChildren();
  at('talk').prepend(card.node);
  running = new AbortController();
  busy(true);
  const messages = [...system(), ...(at('ask-history').checked ? turns : []), { role: 'user', content: question }];
  const words = await card.run(
    { model, messages, max_tokens: Number(at('ask-tokens').value) || 128, temperature: Number(at('ask-temperature').value) || 0 },
    { session: at('ask-session').value.trim(), signal: running.signal });
  if (words !== null) turns.push({ role: 'user', content: question }, { role: 'assistant', content: words });
  running = null;
  busy(false);
}

const system = () => (at('ask-system').value ? [{ role: 'system', content: at('ask-system').value }] : []);

function busy(on) {
  at('ask-stop').disabled = !on;
  at('ask-form').querySelector('[type=submit]').disabled = on;
  if (!on) at('ask-text').focus();
}
