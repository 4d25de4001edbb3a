// One skill: its versions, the evidence for each, what it was made from and how.
import { el, facts, scroller, table } from './dom.js';
import { bytes, count, moment, percent, weight, whole, WORDS_OF_FORM } from './format.js';
import { glyph, range } from './interval.js';
import { go } from './tabs.js';

const ROLES = { adapter: 'the adapter', text: 'the text', other: '', control: 'control' };
const TITLES = { 'routing-evidence': 'Measured on this base', training: 'Training', precision: 'Precision', provenance: 'Where it came from' };

/** The nodes of the detail view. */
export function detail(skill) {
  const versions = skill.history.map((one, place) => version(skill, one, place === 0));
  const hidden = skill.num_versions - skill.history.length;
  return [
    el('div', { class: 'detail-head' },
      el('h2', { id: 'detail-title', tabindex: '-1', text: skill.id }),
      el('button', { type: 'button', class: 'quiet', text: 'Close', on: { click: () => go('skills') } })),
    el('p', { class: 'lead', text: skill.description }),
    facts([
      ['Kind', skill.kind],
      ['Served as', served(skill)],
      ['Licence', skill.licence ?? 'unknown'],
      ['Split', Object.entries(skill.splits).map(([alias, parts]) => `@${alias} → ${shares(parts)}`).join('; ')],
      ['Aliases', Object.entries(skill.aliases).map(([alias, number]) => `@${alias} → ${number}`).join(', ')],
    ]),
    el('div', { class: 'actions' },
      el('button', { type: 'button', text: 'Ask it', on: { click: () => go('ask', skill.id) } }),
      skill.versions.length ? el('button', { type: 'button', text: 'Mix it', on: { click: () => go('mix', skill.id) } }) : null),
    ...versions,
    skill.history.length ? null : el('p', { class: 'empty', text: 'A text without an adapter: there is no version to show.' }),
    hidden > 0 ? el('p', { class: 'help', text: `${count(hidden, 'older version')} not shown.` }) : null,
  ].filter(Boolean);
}

/** {"2": 3, "1": 1} -> "75.0 % version 2, 25.0 % version 1". */
function shares(parts) {
  const total = Object.values(parts).reduce((sum, part) => sum + part, 0);
  return Object.entries(parts).map(([number, part]) => `${percent(part / total)} version ${number}`).join(', ');
}

const served = (skill) => (skill.form === null ? 'nothing under its bare name; ask for a version'
  : skill.form === 'adapter' ? `adapter, version ${skill.version}` : WORDS_OF_FORM[skill.form]);

function version(skill, one, open) {
  const aliases = one.aliases.map((alias) => el('span', { class: 'tag', text: `@${alias}` }));
  return el('details', { class: 'version-box', open },
    el('summary', {}, el('span', { class: 'version-name', text: `Version ${one.number}` }), ...aliases,
      el('span', { class: 'when', text: moment(one.created_at) })),
    one.description && one.description !== skill.description ? el('p', { class: 'lead', text: one.description }) : null,
    el('h3', { text: 'Evidence' }), ...evidence(one),
    ...parents(one),
    el('h3', { text: 'Card' }), card(one),
    ...making(one));
}

function evidence(one) {
  const found = one.evidence.map(attestation).reverse();
  return found.length ? found : [el('p', { class: 'empty', text: 'None: nothing was measured on this version yet.' })];
}

function attestation(finding) {
  const title = TITLES[finding.type] ?? finding.type;
  const about = [finding.split ? `${finding.split} requests` : '', finding.hearsay ? `reported by ${finding.hearsay}, not measured here` : ''].filter(Boolean).join(' · ');
  return el('div', { class: finding.hearsay ? 'finding hearsay' : 'finding' },
    el('h4', {}, title, about ? el('span', { class: 'note', text: ` ${about}` }) : null),
    finding.arms.length ? scroller(`${title}: accuracy by condition`, arms(finding)) : null,
    finding.verdicts.length ? el('ul', { class: 'verdicts' }, finding.verdicts.map(verdict)) : null,
    finding.form || finding.reason ? el('p', { class: 'help', text: decided(finding) }) : null,
    finding.facts.length ? facts(finding.facts, 'figures') : null);
}

const decided = ({ form, reason }) => [form ? `Serve as ${WORDS_OF_FORM[form] ?? form}` : '', reason ?? ''].filter(Boolean).join(': ');

const VERDICTS = { 'adapter meets': 'the adapter met its criterion', 'text helps': 'the text helps this base' };

const verdict = ([words, holds]) => el('li', { class: holds ? 'yes' : 'no' },
  el('span', { 'aria-hidden': 'true', text: holds ? '✓ ' : '✗ ' }), `${VERDICTS[words] ?? words}: ${holds ? 'yes' : 'no'}`);

function arms({ arms: found }) {
  const order = Object.keys(ROLES);
  const rows = [...found].sort((a, b) => order.indexOf(a.role) - order.indexOf(b.role)).map((arm) => [
    el('span', {}, arm.name, ROLES[arm.role] && arm.name !== arm.role ? el('span', { class: 'note', text: ` ${ROLES[arm.role]}` }) : null),
    el('span', { class: 'share', text: percent(arm.mean) }),
    el('span', { class: 'with-glyph' }, glyph(arm), range(arm) || 'unknown'),
    arm.n === null ? '–' : whole(arm.n),
  ]);
  return table('Accuracy by condition', [['Condition', ''], ['Passed', 'number'], ['95 % interval', ''], ['Requests', 'number']], rows);
}

function parents(one) {
  if (!one.parents.length) return [];
  const rows = one.parents.map((parent) => [parent.ref ?? 'one that you may not use', el('span', { class: 'share', text: weight(parent.weight) })]);
  return [el('h3', { text: 'Made from' }), table('Parents and their weights', [['Parent', ''], ['Weight', 'number']], rows)];
}

function card(one) {
  const held = one.weights;
  return facts([
    ['Made by', one.made_by ?? 'unknown: it was brought in'],
    ['Kind', one.kind],
    ['Base', `${one.base.name || 'unnamed'} in ${one.base.precision}${one.base.asserted ? ', as somebody says' : ''}`],
    ['Rank', held ? `${held.rank} on ${count(held.modules, 'module')} (${held.targets.join(', ')})` : 'its files do not read'],
    ['Size', held ? `${whole(held.parameters)} parameters, ${bytes(held.size_bytes)}, ${held.dtypes.join(', ')}` : null],
    ['Digest', el('code', { class: 'digest', text: one.digest })],
  ], 'facts small');
}

function making(one) {
  if (!one.making) return [];
  const { recipe, frame, seed, code_revision: revision, data_digest: data } = one.making;
  return [el('details', { class: 'more' }, el('summary', { text: 'How it was made' }),
    facts([['Seed', seed === null ? null : String(seed)], ['Revision', revision], ['Data', data ? el('code', { class: 'digest', text: data }) : 'not kept']], 'facts small'),
    scroller('Recipe and frame as JSON', el('pre', { text: JSON.stringify({ recipe, frame }, null, 1) })))];
}
