// Doing something again and again: never twice at once, not while nobody looks, at once when
// somebody looks again. `everyMs()` is asked after each turn.

export function poll(work, everyMs) {
  let running = false, busy = false, timer = null;

  async function turn() {
    clearTimeout(timer);
    if (!running || busy || document.hidden) return;
    busy = true;
    try { await work(); } finally { busy = false; }
    clearTimeout(timer);
    if (running) timer = setTimeout(turn, everyMs());
  }

  const wake = () => turn();
  return {
    start() {
      if (running) return;
      running = true;
      document.addEventListener('visibilitychange', wake);
      window.addEventListener('focus', wake);
      turn();
    },
    stop() {
      running = false;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', wake);
      window.removeEventListener('focus', wake);
    },
  };
}
