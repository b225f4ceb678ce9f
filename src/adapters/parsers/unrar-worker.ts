import { unrar } from './rar-archive.js';
import { serveParent } from './worker-loop.js';
import type { UnrarProtocol } from './worker-messages.js';

serveParent<UnrarProtocol>(({ path, into, limits }) => unrar(path, into, limits));
