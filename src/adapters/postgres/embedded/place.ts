import { chmod, chown, lstat, mkdir, mkdtemp, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../host/free-port.js';
import type { Identity } from './identity.js';
import { giveTo } from './run-as.js';
import type { Place } from './server-settings.js';
import { renderSettings } from './server-settings.js';
import type { Site } from './site.js';
import { SOCKET_PORT, clusterName, socketFolder } from './socket-folder.js';

/** Decides where the next server of this site listens, and writes its settings. */
export async function settle(site: Site, identity: Identity): Promise<void> {
  const place = await findPlace(site, identity);
  const file = join(site.clusterDir, 'clara.conf');
  const fresh = `${file}.${process.pid}`;
  await writeFile(fresh, renderSettings(place, clusterName(site.dataDir)), { mode: 0o600 });
  await giveTo(identity, fresh);
  await rename(fresh, file);
}

async function findPlace(site: Site, identity: Identity): Promise<Place> {
  if (site.transport === 'tcp') return { kind: 'tcp', port: await freePort() };
  const { folder, ours } = socketFolder(site.dataDir, process.platform, site.uid ?? 0);
  await mkdir(folder, { mode: 0o700 }).catch(() => undefined);
  const safe = ours || (await isPrivate(folder, site, identity)) ? folder : await mkdtemp('/tmp/clara-');
  await chmod(safe, 0o700);
  await chownToServer(safe, identity, site);
  return { kind: 'socket', folder: safe, port: SOCKET_PORT };
}

async function chownToServer(folder: string, identity: Identity, site: Site): Promise<void> {
  await giveTo(identity, folder);
  if (identity.kind === 'namespace') await chown(folder, site.uid ?? 0, 0);
}

/** Anybody may make a folder in /tmp under the name that we would take. */
async function isPrivate(folder: string, site: Site, identity: Identity): Promise<boolean> {
  const facts = await lstat(folder);
  const owners = identity.kind === 'user' ? [site.uid, identity.uid] : [site.uid];
  return facts.isDirectory() && owners.includes(facts.uid) && (facts.mode & 0o077) === 0;
}
