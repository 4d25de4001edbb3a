// Views as tabs. The address after `#/` names the view and what it shows, so that a reload and the
// back button work. Arrow keys, Home and End move between tabs, as screen readers expect.
import { at } from './dom.js';

const NAMES = ['skills', 'resident', 'ask', 'mix', 'live'];
const tab = (name) => at(`tab-${name}`);

/** `views`: name -> {show(rest), hide()}. */
export function startTabs(views) {
  let current = null;

  function open() {
    const [name, rest] = place();
    if (current && current !== name) views[current].hide();
    for (const each of NAMES) {
      const on = each === name;
      tab(each).setAttribute('aria-selected', String(on));
      tab(each).tabIndex = on ? 0 : -1;
      at(`panel-${each}`).hidden = !on;
    }
    current = name;
    document.title = `${tab(name).textContent} – skillweave`;
    views[name].show(rest);
  }

  for (const name of NAMES) tab(name).addEventListener('click', () => go(name));
  tab(NAMES[0]).parentElement.addEventListener('keydown', (event) => {
    const next = neighbour(NAMES.indexOf(current), event.key);
    if (next === null) return;
    event.preventDefault();
    tab(NAMES[next]).focus();
    go(NAMES[next]);
  });
  document.querySelector('.skip').addEventListener('click', (event) => {
    event.preventDefault();
    at('main').focus();
  });
  window.addEventListener('hashchange', open);
  open();
}

/** Open a view; `rest` is what it shows, such as a skill. */
export function go(name, rest = '') {
  location.hash = rest ? `#/${name}/${encodeURIComponent(rest)}` : `#/${name}`;
}

function place() {
  const [name, rest = ''] = location.hash.replace(/^#\//, '').split(/\/(.*)/s);
  return NAMES.includes(name) ? [name, decode(rest)] : [NAMES[0], ''];
}

function decode(text) {
  try { return decodeURIComponent(text); } catch { return ''; }
}

function neighbour(index, key) {
  const last = NAMES.length - 1;
  const found = { ArrowRight: index === last ? 0 : index + 1, ArrowLeft: index === 0 ? last : index - 1, Home: 0, End: last };
  return found[key] ?? null;
}
