import { join } from 'node:path';
import type { ConfigContext } from './context.js';
import type { PathRules } from '../../../kernel/safe-path.js';

type Settings = ConfigContext['settings'];

/** What must never be read for a client: the database, and what running jobs write. */
const inner = (data: string): string[] => [join(data, 'postgres'), join(data, 'runs')];

export const configRules = ({ root, folders }: Settings): PathRules => ({
  purpose: 'a configuration',
  base: root,
  roots: folders.configs,
  except: [folders.data, ...inner(folders.data)],
  extensions: ['.yaml', '.yml'],
});

export const datasetRules = ({ root, folders }: Settings): PathRules => ({
  purpose: 'a data set',
  base: root,
  roots: [...folders.datasets, join(folders.data, 'datasets'), join(folders.data, 'uploads')],
  except: [folders.data, ...inner(folders.data)],
  extensions: ['.jsonl', '.json', '.csv', '.parquet'],
});

/** Files that another module of the application hands over. */
export const ownFileRules = (settings: Settings): PathRules => ({
  ...datasetRules(settings),
  roots: [settings.folders.data],
  except: inner(settings.folders.data),
});

/** The shipped data: it lies beside the program, wherever the folders for data are. */
export const sampleRules = (settings: Settings): PathRules => ({
  ...datasetRules(settings),
  roots: [join(settings.root, 'data-samples')],
});

/** Folders that a base model may lie in. */
export const modelRules = ({ root, folders }: Settings) => ({
  base: root,
  roots: [...folders.models, folders.data, join(folders.cache, 'models')],
  except: inner(folders.data),
});
