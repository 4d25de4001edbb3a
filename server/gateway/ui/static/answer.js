// One answer and why it came from where it came: what the reply's headers say, in words.
import { Refused } from './api.js';
import { el, facts, problem, say } from './dom.js';
import { milliseconds, percent, whole, WORDS_OF_FORM } from './format.js';
import { answer } from './stream.js';

const HEADERS = ['adapter', 'version', 'form', 'route', 'error'];

/** {adapter, version, form, route, error, request} of a reply. */
export function origin(headers) {
  const found = Object.fromEntries(HEADERS.map((name) => [name, headers.get(`x-skillweave-${name}`)]));
  return { ...found, request: headers.get('x-request-id') };
}

/** Why this answered, as a sentence. `model` is what was asked for. */
export function why({ adapter, form, route }, model) {
  const [kind, ...rest] = (route ?? '').split(':');
  const reason = rest.join(':').trim();
  const because = reason ? `: ${reason}` : '';
  if (kind === 'auto' && adapter === 'base') return `The router chose no skill${because}.`;
  if (kind === 'auto') return `The router chose it${because}.`;
  if (kind === 'sticky') return 'An earlier turn of this conversation was answered by it, so it stays.';
  if (kind === 'split') return `${model} is split between versions, and this request fell to this one.`;
  if (adapter === 'base') return 'You asked for the base.';
  if (isSum(adapter)) return 'You asked for this sum, and the server composed it.';
  if (form === 'none') return 'You asked for it; it was measured not to help this base, so the base answers.';
  if (form === 'text') return 'You asked for it; on this base it is served as text, in the system message.';
  return 'You asked for it by name.';
}

const isSum = (adapter) => /[+*]/.test(adapter ?? '');
const named = (version) => (/^\d+$/.test(version) ? `version ${version}` : `digest ${version}`);

/** "sql-report, version 3, as adapter". */
export const told = (from) => [
  from.adapter ?? 'unknown',
  from.version ? named(from.version) : '',
  from.form && from.form !== 'none' ? `as ${WORDS_OF_FORM[from.form] ?? from.form}` : '',
].filter(Boolean).join(', ');

/** A card that one question fills; `run` asks, and settles when the answer has ended. */
export function answerCard({ title, question = null, level = 'h3' }) {
  const heading = el(level, { class: 'answer-title', text: title });
  const text = el('p', { class: 'words', tabindex: '-1' });
  const origins = el('div', { class: 'origins' });
  const node = el('article', { class: 'answer', 'aria-busy': 'true' }, heading,
    question === null ? null : el('p', { class: 'question', text: question }), origins, text);
  return { node, run: (body, options) => run({ node, text, origins, title }, body, options) };
}

async function run(card, body, { session, signal }) {
  let from = null;
  try {
    const end = await answer(body, {
      session, signal,
      onHead: (headers) => { from = origin(headers); card.origins.replaceChildren(badge(from), sentence(from, body.model)); },
      onText: (piece) => { card.text.append(piece); },
    });
    card.origins.append(figures(from, end));
    say(`Answer from ${told(from)}: ${card.text.textContent.slice(0, 400)}`);
    return card.text.textContent;
  } catch (err) {
    if (err.name === 'AbortError') card.node.append(el('p', { class: 'help', text: 'Stopped.' }));
    else card.node.append(problem(words(err)));
    return null;
  } finally {
    card.node.setAttribute('aria-busy', 'false');
  }
}

function words(err) {
  if (!(err instanceof Refused)) return `The answer could not be read: ${err.message}`;
  const wait = err.wait ? ` Try again in ${err.wait} s.` : '';
  return `${err.message}${wait}`;
}

const badge = (from) => el('p', { class: 'from' },
  el('span', { class: `form form-${from.form}`, text: from.form === 'none' ? 'no skill' : WORDS_OF_FORM[from.form] ?? 'unknown' }),
  el('strong', { class: 'name', text: from.adapter ?? '' }),
  from.version ? el('span', { class: 'version', text: named(from.version) }) : null);

const sentence = (from, model) => el('p', { class: 'why', text: why(from, model) });

function figures(from, end) {
  const tokens = end.usage ? `${whole(end.usage.prompt_tokens)} in, ${whole(end.usage.completion_tokens)} out` : null;
  return facts([
    ['first word', milliseconds(end.first_ms)],
    ['whole answer', milliseconds(end.total_ms)],
    ['tokens', tokens],
    ['ended by', end.finish === 'length' ? 'most tokens' : end.finish],
    ['composition error', isSum(from.adapter) && from.error !== null ? cut(from.error) : null],
    ['request', from.request],
  ], 'figures');
}

/** The relative error of a composition: 0 is exact. */
export const cut = (error) => (Number(error) === 0 ? '0 (exact)' : `${percent(Number(error))} of the update was cut off`);
