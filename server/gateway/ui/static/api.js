// Talking to this server: keys, JSON, errors. Nothing else is ever asked.
// Keys live in sessionStorage: in this tab, until it is closed.

const USER = 'skillweave.key';
const ADMIN = 'skillweave.admin-key';

export class Refused extends Error {
  constructor(message, { status = 0, code = null, wait = null } = {}) {
    super(message);
    Object.assign(this, { status, code, wait });
  }
}

export const keys = {
  get user() { return sessionStorage.getItem(USER) || ''; },
  get admin() { return sessionStorage.getItem(ADMIN) || ''; },
  set(user, admin) {
    for (const [name, value] of [[USER, user], [ADMIN, admin]]) {
      if (value) sessionStorage.setItem(name, value); else sessionStorage.removeItem(name);
    }
  },
};

const bearer = () => (keys.user ? { authorization: `Bearer ${keys.user}` } : {});
const admin = () => (keys.admin ? { 'x-skillweave-admin-key': keys.admin } : {});

/** A JSON document; `Refused` with the server's own words where there is none. */
export async function read(path, { signal } = {}) {
  const ours = path.startsWith('/ui/') ? admin() : {};
  const reply = await send(path, { headers: { ...bearer(), ...ours }, signal });
  return reply.json();
}

/** An answer to a question, whose body is still to be read. */
export function ask(body, { session = '', signal } = {}) {
  const headers = { ...bearer(), 'content-type': 'application/json' };
  if (session) headers['x-skillweave-session'] = session;
  return send('/v1/chat/completions', { method: 'POST', headers, body: JSON.stringify(body), signal });
}

async function send(path, init) {
  let reply;
  try {
    reply = await fetch(path, { ...init, credentials: 'omit', redirect: 'error', cache: 'no-store' });
  } catch (err) {
    if (err.name === 'AbortError') throw err;
    throw new Refused('The server does not answer. Is it still running?');
  }
  if (!reply.ok) throw await refusal(reply);
  return reply;
}

async function refusal(reply) {
  let error = {};
  try { error = (await reply.json()).error ?? {}; } catch { /* no JSON: the status has to do */ }
  const refused = new Refused(error.message || `The server answered ${reply.status}.`, {
    status: reply.status, code: error.code ?? null, wait: reply.headers.get('retry-after'),
  });
  refused.headers = reply.headers;
  return refused;
}
