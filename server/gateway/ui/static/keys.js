// The dialog for the two keys. What they open is said at once, by the server.
import { keys } from './api.js';
import { at } from './dom.js';
import { look, onStatus, status } from './status.js';

export function startKeys() {
  const dialog = at('keys');
  at('open-keys').addEventListener('click', () => {
    at('key-user').value = keys.user;
    at('key-admin').value = keys.admin;
    at('keys-result').textContent = opened(status);
    dialog.showModal();
  });
  at('keys-close').addEventListener('click', () => dialog.close());
  at('keys-forget').addEventListener('click', () => {
    at('key-user').value = '';
    at('key-admin').value = '';
    use();
  });
  at('keys-form').addEventListener('submit', (event) => { event.preventDefault(); use(); });
  onStatus(() => { at('keys-note').textContent = note(status.viewer); });
}

async function use() {
  keys.set(at('key-user').value.trim(), at('key-admin').value.trim());
  await look();
  at('keys-result').textContent = opened(status);
}

/** What the viewer may do, in a sentence or two. */
export function opened({ viewer, reachable }) {
  if (!reachable) return 'The server does not answer.';
  const asking = viewer.key
    ? `You ask as ${viewer.key}${viewer.team ? ` of team ${viewer.team}` : ''}.`
    : viewer.may_ask ? 'No key is needed for asking.'
      : keys.user ? 'This key for asking does not hold.' : 'Asking needs a key.';
  const running = viewer.admin ? 'The admin key holds.' : keys.admin ? 'This admin key does not hold.' : 'Without the admin key: no view of engines and traffic.';
  return `${asking} ${running}`;
}

const note = (viewer) => (viewer.admin ? ' · admin' : viewer.key ? ` · ${viewer.key}` : viewer.may_ask ? '' : ' · needed');
