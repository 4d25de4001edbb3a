// Puts the page together: views, tabs, keys, and the line that says how the server is.
import { at } from './dom.js';
import { count } from './format.js';
import { startKeys } from './keys.js';
import { liveView } from './live.js';
import { mixView } from './mix.js';
import { playgroundView } from './playground.js';
import { residentView } from './resident.js';
import { skillsView } from './skills.js';
import { follow, look, onStatus } from './status.js';
import { startTabs } from './tabs.js';

const VIEWS = { skills: skillsView, resident: residentView, ask: playgroundView, mix: mixView, live: liveView };

function server(now) {
  const words = now.ready ? `${now.base} · ${count(now.engines, 'engine')} · ready` : `Not ready: ${now.problem}`;
  at('server').className = `server ${now.ready ? 'up' : 'down'}`;
  if (at('server-text').textContent !== words) at('server-text').textContent = words;
}

onStatus(server);
startKeys();
for (const view of Object.values(VIEWS)) view.start();
await look();
startTabs(VIEWS);
follow();
