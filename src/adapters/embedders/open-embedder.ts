import { join } from 'node:path';
import type { Settings } from '../../config/settings.js';
import type { Clock } from '../../kernel/clock.js';
import type { Log } from '../../kernel/log.js';
import type { Embedder } from '../../modules/documents/embedder.port.js';
import type { TrainerInstallation } from '../launchers/trainer-installation.js';
import { HttpEmbedder } from './http-embedder.js';
import { WorkerEmbedder } from './worker-embedder.js';

interface Parts {
  trainer: Pick<TrainerInstallation, 'status' | 'python'>;
  environment: Readonly<Record<string, string | undefined>>;
  log: Log;
  clock: Clock;
}

/** The embedder that the settings name; nothing is started before its first use. */
export function openEmbedder(
  { embedder, folders, root }: Pick<Settings, 'embedder' | 'folders' | 'root'>,
  parts: Parts,
): Embedder {
  if (embedder.kind === 'http') return new HttpEmbedder(embedder, parts.clock);
  const { trainer } = parts;
  const python = () => {
    const status = trainer.status();
    return status.ready ? { path: trainer.python() } : { reason: status.reason };
  };
  const roots = [root, ...folders.models, join(folders.cache, 'models')];
  return new WorkerEmbedder({ ...embedder, python, roots, trainer: folders.trainer }, parts);
}
