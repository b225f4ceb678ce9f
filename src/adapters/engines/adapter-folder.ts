import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AdapterRefused } from '../../modules/serving/engine.port.js';

export interface PathMap {
  local: string;
  remote: string;
}

/** Where the engine sees a folder of this host. */
export function remotePath(path: string, map: PathMap | undefined): string {
  if (!map) return path;
  if (path === map.local) return map.remote;
  const local = map.local === '/' ? '/' : `${map.local}/`;
  return path.startsWith(local) ? join(map.remote, path.slice(local.length)) : path;
}

/** What an adapter is made of. */
export const ADAPTER_FILES = ['adapter_config.json', 'adapter_model.safetensors'] as const;

/** @throws AdapterRefused where there is no adapter in the folder */
export async function checkFolder(path: string): Promise<void> {
  for (const file of ADAPTER_FILES)
    await access(join(path, file)).catch(() => {
      throw new AdapterRefused(
        `the folder ${path} is gone, or has no ${file}; put it back, or register the adapter anew`,
      );
    });
}

/** The chat template that lies beside an adapter, as its training used it; undefined: none. */
export const templateBeside = (adapter: string): Promise<string | undefined> =>
  readFile(join(adapter, 'chat_template.jinja'), 'utf8').catch(() => undefined);

/** File of the chat template that the trainer ships. */
export const shippedTemplate = (trainer: string): string =>
  join(trainer, 'src', 'clara_trainer', 'chat_template.jinja');
