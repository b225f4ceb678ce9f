import 'reflect-metadata';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PinoLog } from './adapters/logging/pino-log.js';
import { startApplication } from './application.js';
import { securityWarnings } from './config/security-warnings.js';
import { readSettings, SettingsError, unknownSettings, type Settings } from './config/settings.js';
import { messageOf } from './kernel/errors.js';
import { maskPatterns } from './kernel/secret-mask.js';

/** dist/src/main.js -> the project's root. */
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Exit status of a wrong configuration, as sysexits.h names it. */
const EX_CONFIG = 78;
const STOP_DEADLINE_MS = 8000;

function settingsOrExit(): Settings {
  try {
    return readSettings(process.env, root);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    console.error(`${maskPatterns(error.message)}\nAll settings: docs/SETTINGS.md`);
    process.exit(EX_CONFIG);
  }
}

/** SIGTERM is an upgrade: trainings go on. Ctrl-C is a person who leaves: they save and end. */
const workersAt = (signal: NodeJS.Signals, wish: Settings['training']['stopWorkers']): 'keep' | 'end' =>
  wish === 'auto' ? (signal === 'SIGINT' ? 'end' : 'keep') : wish;

async function main(): Promise<void> {
  const settings = settingsOrExit();
  const log = new PinoLog({ level: settings.logLevel, folder: settings.folders.logs, mask: settings.mask });
  for (const warning of securityWarnings(settings)) log.warn(warning);
  for (const name of unknownSettings(process.env)) log.warn('unknown setting, is it mistyped?', { name });
  const fatal = (message: string): void => {
    log.error(message);
    process.exit(1);
  };
  const running = await startApplication(settings, process.env, log, fatal).catch(async (error: unknown) => {
    log.error('CLARA could not start', { error: messageOf(error) });
    console.error(settings.mask.text(`CLARA could not start: ${messageOf(error)}`));
    await log.close();
    process.exit(1);
  });
  let stopping = false;
  // A second signal finds the same end under way; it has a deadline of its own.
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) return;
    stopping = true;
    log.info('stopping', { signal });
    setTimeout(() => fatal('stopping took too long'), STOP_DEADLINE_MS).unref();
    void running
      .stop(workersAt(signal, settings.training.stopWorkers))
      .then(() => log.close())
      .then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

await main();
