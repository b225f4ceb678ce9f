import { access } from 'node:fs/promises';
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

/** @throws AdapterRefused where there is no adapter in the folder */
export async function checkFolder(path: string): Promise<void> {
  for (const file of ['adapter_config.json', 'adapter_model.safetensors'])
    await access(join(path, file)).catch(() => {
      throw new AdapterRefused(
        `the folder ${path} is gone, or has no ${file}; put it back, or register the adapter anew`,
      );
    });
}
