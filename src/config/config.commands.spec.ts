import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shownSettings } from './config.commands.js';
import { isSecret } from './setting-kinds.js';
import { settingSpecs } from './settings.js';

const shown = (env: Record<string, string>) =>
  Object.fromEntries(shownSettings(env).map(({ name, origin, value }) => [name, [origin, value]]));

describe('the settings as they are shown', () => {
  it('tell where each comes from', () => {
    const rows = shown({ CLARA_MAIN_PORT: '7', CLARA_LOG_LEVEL: '' });
    expect(rows['CLARA_MAIN_PORT']).toEqual(['env', '7']);
    expect(rows['CLARA_LOG_LEVEL']).toEqual(['default', 'info']);
    expect(rows['CLARA_BASE_MODEL']).toEqual(['default', '-']);
  });

  it('hide every secret, wherever it stands', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'clara-shown-'));
    const file = join(folder, 'secret');
    await writeFile(file, 'canary-in-a-file');
    const secrets = Object.entries(settingSpecs).flatMap(([name, spec]) => (isSecret(spec) ? [name] : []));
    expect(secrets).toContain('UDS3_POSTGRES_PASSWORD');
    for (const name of secrets) {
      expect(shown({ [name]: 'canary' })[name]).toEqual(['env', '***']);
      expect(shown({ [`${name}_FILE`]: file })[name]).toEqual(['file', '***']);
      expect(shown({})[name]).toEqual(['default', '-']);
    }
    await rm(folder, { recursive: true });
  });

  it('hide a password in an address', () =>
    expect(shown({ KEYCLOAK_URL: 'http://me:canary@host' })['KEYCLOAK_URL']).toEqual(['env', 'http://me:***@host']));
});
