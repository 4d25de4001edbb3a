// What the server says of itself and of our keys, asked every few seconds and whenever the page is
// looked at again. Others listen; nobody else asks for it.
import { read, Refused } from './api.js';
import { poll } from './poll.js';

const EVERY_MS = 4000, WAITING_MS = 1000;
const listeners = [];

export const status = { known: false, reachable: true, ready: false, problem: '', viewer: {} };

/** `listener(status, changed)` now and after every look; `changed` if somebody else looks now. */
export function onStatus(listener) {
  listeners.push(listener);
  if (status.known) listener(status, true);
}

export async function look() {
  const before = JSON.stringify(status.viewer);
  try {
    Object.assign(status, await read('/ui/api/status'), { known: true, reachable: true });
  } catch (err) {
    if (!(err instanceof Refused)) throw err;
    Object.assign(status, { known: true, reachable: false, ready: false, problem: err.message });
  }
  const changed = before !== JSON.stringify(status.viewer);
  for (const listener of listeners) listener(status, changed);
}

export const follow = () => poll(look, () => (status.ready ? EVERY_MS : WAITING_MS)).start();
