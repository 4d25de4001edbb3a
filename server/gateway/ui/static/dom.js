// Elements from words. Text only ever becomes text: nothing here, and nothing on the page, turns a
// string into markup. Owns making and finding elements, and what is said to screen readers.

const SVG = 'http://www.w3.org/2000/svg';

/** The element with this id, which index.html holds. */
export const at = (id) => document.getElementById(id);

/** An element. `props`: `class`, `text`, `on: {event: listener}`, and attributes as they are. */
export const el = (tag, props = {}, ...children) => fill(document.createElement(tag), props, children);

/** The same in SVG. */
export const svg = (tag, props = {}, ...children) => fill(document.createElementNS(SVG, tag), props, children);

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'text') node.textContent = value;
    else if (name === 'on') for (const [event, f] of Object.entries(value)) node.addEventListener(event, f);
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Say something to screen readers, politely. The same words twice are said twice. */
export function say(words) {
  const region = at('say');
  region.textContent = '';
  requestAnimationFrame(() => { region.textContent = words; });
}

/** A table; `columns` are [title, class], `rows` lists of nodes or words, the first heads its row. */
export function table(caption, columns, rows, { className = '' } = {}) {
  const head = columns.map(([title, kind]) => el('th', { scope: 'col', class: kind, text: title }));
  const body = rows.map((cells) => el('tr', {}, cells.map((cell, place) => {
    const kind = columns[place][1];
    return el(place ? 'td' : 'th', { class: kind, scope: place ? null : 'row' }, cell);
  })));
  return el('table', { class: className },
    el('caption', { class: 'vh', text: caption }),
    el('thead', {}, el('tr', {}, head)), el('tbody', {}, body));
}

/** A box that scrolls sideways, reachable by keyboard. */
export const scroller = (label, ...children) =>
  el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': label }, ...children);

/** Facts as a definition list; pairs without a value are left out. */
export const facts = (pairs, className = 'facts') =>
  el('dl', { class: className }, pairs
    .filter(([, value]) => value !== null && value !== undefined && value !== '')
    .map(([name, value]) => el('div', {}, el('dt', { text: name }), el('dd', {}, value))));

export const problem = (words) => el('p', { class: 'problem', role: 'alert', text: words });
export const empty = (words) => el('p', { class: 'empty', text: words });
