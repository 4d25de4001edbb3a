// An answer as it comes: server-sent events, one JSON document each.
import { ask, Refused } from './api.js';

/** Documents of an event stream, given as chunks of text cut anywhere. */
export async function* documents(chunks) {
  let rest = '';
  for await (const chunk of chunks) {
    const events = (rest + chunk).replaceAll('\r\n', '\n').split('\n\n');
    rest = events.pop();
    for (const event of events) {
      const data = event.split('\n').filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).trimStart()).join('\n');
      if (data === '[DONE]') return;
      if (data) yield JSON.parse(data);
    }
  }
}

/**
 * Ask, and hand out what comes: `onHead(headers)` once, `onText(piece)` for each piece.
 * Returns {first_ms, total_ms, usage, finish}; throws `Refused` also where a stream breaks off.
 */
export async function answer(body, { session, signal, onHead, onText }) {
  const began = performance.now();
  const asked = { ...body, stream: true, stream_options: { include_usage: true } };
  const reply = await ask(asked, { session, signal });
  onHead(reply.headers);
  let first = null, usage = null, finish = null;
  for await (const one of documents(texts(reply.body))) {
    if (one.error) throw new Refused(one.error.message ?? 'The answer broke off.');
    usage = one.usage ?? usage;
    const choice = one.choices?.[0];
    finish = choice?.finish_reason ?? finish;
    const piece = choice?.delta?.content ?? '';
    if (!piece) continue;
    first ??= performance.now() - began;
    onText(piece);
  }
  if (finish === null) throw new Refused('The answer broke off before its end.');
  return { first_ms: first, total_ms: performance.now() - began, usage, finish };
}

async function* texts(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
