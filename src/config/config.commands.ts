import type { Command } from 'commander';
import { maskPatterns } from '../kernel/secret-mask.js';
import { fileSetting } from './secret-files.js';
import { isSecret } from './setting-kinds.js';
import { readSettings, SettingsError, settingSpecs } from './settings.js';

type Env = Readonly<Record<string, string | undefined>>;
type Spec = object & { default?: string | number | boolean | readonly string[] | undefined };

/** Exit status of a wrong configuration, as sysexits.h names it. */
const EX_CONFIG = 78;
const HIDDEN = '***';

export interface ShownSetting {
  name: string;
  origin: 'default' | 'env' | 'file';
  value: string;
}

/** `config`: what the application would run with, and where it was said. */
export function addConfigCommand(program: Command, env: Env, root: string): void {
  program
    .command('config')
    .description('All settings and where each comes from; secrets are not shown')
    .action(() => {
      process.stdout.write(`${configTable(env)}\n`);
      const problems = problemsOf(env, root);
      if (problems === undefined) return;
      process.stderr.write(`${problems}\n`);
      process.exitCode = EX_CONFIG;
    });
}

export function shownSettings(env: Env): ShownSetting[] {
  return Object.entries(settingSpecs).map(([name, spec]) => shown(name, spec, env));
}

function shown(name: string, spec: Spec, env: Env): ShownSetting {
  if (isSecret(spec) && env[fileSetting(name)]) return { name, origin: 'file', value: HIDDEN };
  const given = env[name];
  if (!given) return { name, origin: 'default', value: isSecret(spec) ? '-' : shownDefault(spec.default) };
  return { name, origin: 'env', value: isSecret(spec) ? HIDDEN : maskPatterns(given) };
}

function shownDefault(value: Spec['default'] = ''): string {
  const text = typeof value === 'object' ? value.join(',') : String(value);
  return text === '' ? '-' : text;
}

function configTable(env: Env): string {
  const rows = shownSettings(env);
  const width = Math.max(...rows.map(({ name }) => name.length));
  return rows.map(({ name, origin, value }) => `${name.padEnd(width)}  ${origin.padEnd(7)}  ${value}`).join('\n');
}

function problemsOf(env: Env, root: string): string | undefined {
  try {
    readSettings(env, root);
    return undefined;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return maskPatterns(error.message);
  }
}
