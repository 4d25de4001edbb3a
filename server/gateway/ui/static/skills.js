// Every skill in a table with its evidence in a glance; one of them beside it in detail.
import { read, Refused } from './api.js';
import { at, el, empty, problem, table } from './dom.js';
import { count, WORDS_OF_FORM } from './format.js';
import { figure } from './interval.js';
import { detail } from './detail.js';
import { onStatus, status } from './status.js';
import { go } from './tabs.js';

const PATIENCE_MS = 180;
let chosen = '', asked = 0, shown = false;

export const skillsView = {
  start() {
    let timer = null;
    at('filter').addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(list, PATIENCE_MS);
    });
    onStatus((_, changed) => { if (changed && shown) { list(); open(chosen); } });
  },
  show(rest) {
    if (!shown) list();
    shown = true;
    open(rest);
  },
  hide() { shown = false; },
};

async function list() {
  const turn = ++asked;
  if (!status.known) return;
  if (!mayRead()) {
    at('shelf-body').replaceChildren(empty('Skills are shown to holders of a key. Open “Keys” above and type yours.'));
    at('shelf-count').textContent = '';
    return;
  }
  try {
    const found = await read(`/ui/api/skills?search=${encodeURIComponent(at('filter').value)}`);
    if (turn === asked) draw(found);
  } catch (err) {
    if (!(err instanceof Refused)) throw err;
    at('shelf-body').replaceChildren(problem(err.message));
  }
}

const mayRead = () => status.viewer.may_ask || status.viewer.admin;

function draw({ skills, total }) {
  at('shelf-count').textContent = skills.length === total ? count(total, 'skill') : `${skills.length} of ${count(total, 'skill')}`;
  if (!skills.length) {
    at('shelf-body').replaceChildren(empty(total ? 'No skill matches.' : 'Nothing is stored for this base yet: train a skill, add an adapter, or serve texts with --skills.'));
    return;
  }
  const columns = [['Skill', 'wide'], ['Served as', ''], ['Accuracy, 95 %', ''], ['Kind', 'extra'], ['Versions', 'number extra']];
  const view = table('Skills, how they are served, and their evidence', columns, skills.map(row), { className: 'shelf' });
  const held = document.activeElement?.dataset.skill;
  at('shelf-body').replaceChildren(view);
  if (held) focusOn(held);
  mark();
}

function row(skill) {
  const button = el('button', { type: 'button', class: 'link', 'data-skill': skill.id, text: skill.id, on: { click: () => go('skills', skill.id) } });
  const best = skill.accuracy;
  return [
    el('div', {}, button, el('p', { class: 'about', text: skill.description })),
    el('span', { class: 'served' },
      el('span', { class: `form form-${skill.form}`, text: WORDS_OF_FORM[skill.form] ?? 'not by its bare name' }),
      skill.form === 'adapter' ? el('span', { class: 'version', text: `v${skill.version}` }) : null),
    best === null ? el('span', { class: 'quiet-words', text: 'not measured' })
      : el('span', {}, figure(best), best.hearsay ? el('span', { class: 'tag', text: 'reported' }) : null),
    skill.kind,
    String(skill.versions.length),
  ];
}

async function open(name) {
  const pane = at('detail'), before = chosen;
  chosen = name;
  pane.hidden = !name;
  at('shelf').classList.toggle('open', Boolean(name));
  mark();
  if (!name || !status.known || !mayRead()) {
    pane.replaceChildren();
    if (!name && before) focusOn(before);
    return;
  }
  try {
    const found = await read(`/ui/api/skills/${encodeURIComponent(name)}`);
    if (chosen === name) pane.replaceChildren(...detail(found));
  } catch (err) {
    if (!(err instanceof Refused)) throw err;
    pane.replaceChildren(el('h2', { id: 'detail-title', tabindex: '-1', text: name }), problem(err.message));
  }
  if (before !== name) at('detail-title')?.focus();
}

function buttons() { return [...at('shelf-body').querySelectorAll('[data-skill]')]; }

function mark() {
  for (const each of buttons()) {
    if (each.dataset.skill === chosen) each.setAttribute('aria-current', 'true');
    else each.removeAttribute('aria-current');
  }
}

const focusOn = (name) => buttons().find((each) => each.dataset.skill === name)?.focus();
