import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { basename, isAbsolute, resolve } from 'node:path';
import { DEFAULT_MODEL } from '../resolved-config.js';
import { modelRules } from './allowed-folders.js';
import type { ConfigContext } from './context.js';
import { isAllowed, nameOf, PathError, problemOfForm, quoted } from '../../../kernel/safe-path.js';
import { distance } from './suggest.js';

type Settings = ConfigContext['settings'];

const HUB_ID = /^[a-z0-9]([\w.-]{0,94}[a-z0-9])?(\/[a-z0-9_]([\w.-]{0,94}[a-z0-9_])?)?$/i;
const PICKLES = ['.bin', '.pt', '.pth', '.ckpt'];
const endsIn = (names: string[], endings: string[]): boolean =>
  names.some((name) => endings.some((ending) => name.endsWith(ending)));

/** @throws PathError when the folder holds no model that may be loaded */
async function checkFolder(shown: string, folder: string, pickle: 'pickle' | 'no pickle'): Promise<void> {
  const names = await readdir(folder).catch(() => undefined);
  if (names === undefined) throw new PathError(`${shown} may not be read by this application`);
  if (!names.includes('config.json')) {
    const hint = names.includes('adapter_config.json')
      ? 'it is an adapter; name its base model, and the adapter by start_from of the job'
      : 'it has no config.json';
    throw new PathError(`${shown} is not a model folder: ${hint}`);
  }
  if (endsIn(names, ['.safetensors'])) return;
  if (!endsIn(names, PICKLES)) throw new PathError(`${shown} holds no weights (*.safetensors)`);
  if (pickle === 'no pickle')
    throw new PathError(
      `${shown} holds its weights only as pickle, which can run code when it is read; convert them to safetensors, ` +
        'or set model.allow_pickle and CLARA_ALLOW_PICKLE if you trust their source',
    );
}

async function realFolder(shown: string, path: string): Promise<string> {
  const folder = await realpath(path).catch(() => undefined);
  if (folder === undefined) throw new PathError(`${shown} does not exist`);
  if (!(await stat(folder)).isDirectory()) throw new PathError(`${shown} is not a folder`);
  return folder;
}

const realOrSame = (folder: string): Promise<string> => realpath(folder).catch(() => folder);

/** A folder that a configuration names must lie where models are kept: a folder is data of the machine too. */
async function confinedFolder(asked: string, settings: Settings): Promise<string> {
  const rules = modelRules(settings);
  const names = rules.roots.map((root) => nameOf(root, rules.base)).join(', ');
  const outside = new PathError(`${quoted(asked)} lies outside of the folders for models (${names}; CLARA_MODEL_DIRS)`);
  const form = problemOfForm(asked);
  if (form !== undefined) throw new PathError(`${quoted(asked)} ${form}`);
  const [roots, except] = await Promise.all([
    Promise.all(rules.roots.map(realOrSame)),
    Promise.all(rules.except.map(realOrSame)),
  ]);
  const path = resolve(rules.base, asked);
  if (!isAllowed(path, [...rules.roots, ...roots], [...rules.except, ...except])) throw outside;
  const folder = await realFolder(quoted(asked), path);
  if (!isAllowed(folder, roots, except)) throw outside;
  return folder;
}

/** `german-llm/7b` may be a hub id or a folder: the loader takes the folder where there is one, and so it is meant. */
async function isFolder(asked: string, settings: Settings): Promise<boolean> {
  if (isAbsolute(asked) || !HUB_ID.test(asked)) return true;
  return (await lstat(resolve(settings.root, asked)).catch(() => undefined)) !== undefined;
}

function checkHubId(asked: string): void {
  if (/--|\.\./.test(asked)) throw new PathError(`${quoted(asked)} is not the id of a model on the hub (owner/name)`);
  // A misspelled "default" would be looked for on the hub, and be somebody's model.
  if (!asked.includes('/') && distance(asked.toLowerCase(), DEFAULT_MODEL) <= 2)
    throw new PathError(`${quoted(asked)} is not a model; did you mean ${DEFAULT_MODEL}?`);
}

async function configuredModel(name: string, settings: Settings, pickle: 'pickle' | 'no pickle'): Promise<string> {
  const path = resolve(settings.root, name);
  const exists = (await lstat(path).catch(() => undefined)) !== undefined;
  if (!exists && !isAbsolute(name) && HUB_ID.test(name)) return name;
  // Its last name tells which one is meant; the folders above it are nobody's business.
  const shown = `the default model ${quoted(basename(path))} (CLARA_BASE_MODEL)`;
  const folder = await realFolder(shown, path);
  await checkFolder(shown, folder, pickle);
  return folder;
}

/** The real path of a folder where models and adapters are kept. @throws PathError */
export const adapterFolder = (asked: string, settings: Settings): Promise<string> => confinedFolder(asked, settings);

/**
 * What a configuration's model name means: a hub id, the real path of a folder, or `default` where the default is the
 * model that is made on the spot.
 * @throws PathError saying what is wrong with the name
 */
export async function baseModel(asked: string, settings: Settings, pickle: 'pickle' | 'no pickle'): Promise<string> {
  const configured = settings.training.baseModel;
  if (asked === DEFAULT_MODEL)
    return configured === undefined ? DEFAULT_MODEL : configuredModel(configured, settings, pickle);
  if (configured !== undefined && asked === configured) return configuredModel(configured, settings, pickle);
  if (!(await isFolder(asked, settings))) {
    checkHubId(asked);
    return asked;
  }
  const folder = await confinedFolder(asked, settings);
  await checkFolder(quoted(asked), folder, pickle);
  return folder;
}
