// What can be asked for, as /v1/models lists it, shared by the playground and the mixer.
import { read, Refused } from './api.js';
import { status } from './status.js';

/** Entries of /v1/models; none while this viewer may not ask. */
export async function models() {
  if (!status.viewer.may_ask) return [];
  try {
    return (await read('/v1/models')).data;
  } catch (err) {
    if (!(err instanceof Refused)) throw err;
    return [];
  }
}

/** Every `model` worth offering: names, their versions, aliases and forms. */
export function offered(entries) {
  return entries.flatMap(({ id, skillweave: about }) => {
    const versions = about?.versions ?? [];
    const numbers = versions.length > 1 ? versions.map((number) => `${id}@${number}`) : [];
    const aliases = Object.keys(about?.aliases ?? {}).filter((alias) => alias !== 'default').map((alias) => `${id}@${alias}`);
    return [id, ...numbers, ...aliases];
  });
}

/** Names that have an adapter. */
export const adapters = (entries) => entries.filter(({ skillweave: about }) => about?.versions?.length).map(({ id }) => id);
