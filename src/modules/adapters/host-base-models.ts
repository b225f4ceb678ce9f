import { baseSlug, ggufSlug } from '../../kernel/base-slug.js';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { AppError } from '../../kernel/errors.js';
import { TrainerEnvironment } from '../training/trainer-environment.port.js';
import { BaseModels, MADE_BASE, type BaseModel, type GgufBase } from './base-models.port.js';
import { hashOfFolder, hashOfGguf, hashOfHubModel } from './base-hash.js';

const DEFAULT = 'default';
const MOST_KNOWN = 500;
const MADE = /^default-[0-9a-f]+$/;

interface Hashed {
  state: string;
  hash: Promise<string>;
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

const subfolders = async (folder: string): Promise<string[]> =>
  readdir(folder, { withFileTypes: true }).then(
    (entries) =>
      entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink()).map(({ name }) => join(folder, name)),
    () => [],
  );

const isModel = (folder: string): Promise<boolean> => isThere(join(folder, 'config.json'));

/** Base models in folders of this host. */
@Injectable()
export class HostBaseModels extends BaseModels {
  readonly #hashes = new Map<string, Hashed>();

  constructor(
    private readonly settings: Settings,
    private readonly environment: TrainerEnvironment,
  ) {
    super();
  }

  defaultSlug(): string {
    const { baseModel } = this.settings.training;
    return baseModel === undefined ? MADE_BASE : this.#slug(baseModel);
  }

  async of(named: string, revision: string | null = null): Promise<BaseModel> {
    const model = named === DEFAULT ? this.#default() : named;
    const folder = await this.#folder(model, revision);
    const hash = folder === null ? hashOfHubModel(model, revision ?? 'main') : await this.#hash(folder);
    return { slug: this.#slug(model), named: model, folder, hash };
  }

  async known(): Promise<BaseModel[]> {
    const { models, cache, hub } = this.settings.folders;
    const made = await subfolders(join(cache, 'models'));
    const near = (await Promise.all(models.map(subfolders))).flat();
    const deep = (await Promise.all(near.map(subfolders))).flat();
    const folders: string[] = [];
    for (const folder of new Set([...made, ...near, ...deep])) if (await isModel(folder)) folders.push(folder);
    const { baseModel } = this.settings.training;
    const ids = (await subfolders(hub)).flatMap((folder) => hubIdOf(folder) ?? []);
    const named = [...(baseModel === undefined ? [] : [baseModel]), ...folders, ...ids];
    const all = await Promise.all([...new Set(named)].slice(0, MOST_KNOWN).map((each) => this.of(each)));
    return all.filter(({ folder }) => folder !== null);
  }

  async ofGguf(): Promise<GgufBase | undefined> {
    const { serving, training, root } = this.settings;
    if (serving.engine !== 'llamacpp' || serving.gguf === undefined) return undefined;
    const file = resolve(root, serving.gguf);
    if (!(await isThere(file))) return undefined;
    const slug = training.baseModel === undefined ? ggufSlug(file) : baseSlug(training.baseModel);
    return { slug, named: training.baseModel ?? file, folder: null, file, hash: await this.#hashOf(file) };
  }

  #default(): string {
    const model = this.settings.training.baseModel ?? this.environment.defaultModel();
    if (model !== undefined) return model;
    throw new AppError('unavailable', 'The default base model is not made yet; try again when /readyz is ready');
  }

  /** The model made on the spot has one name, whichever folder of the cache it lies in. */
  #slug(model: string): string {
    const parts = model.split('/');
    const isMade = MADE.test(parts.at(-1) ?? '') && dirname(model) === join(this.settings.folders.cache, 'models');
    return isMade ? MADE_BASE : baseSlug(model);
  }

  async #folder(model: string, revision: string | null): Promise<string | null> {
    const own = isAbsolute(model) ? model : join(this.settings.root, model);
    if (await isModel(own)) return realpath(own);
    if (isAbsolute(model)) return null;
    const kept = join(this.settings.folders.hub, `models--${model.replaceAll('/', '--')}`);
    const reference = revision ?? 'main';
    const commit = await readFile(join(kept, 'refs', reference), 'utf8').catch(() => reference);
    const snapshot = join(kept, 'snapshots', commit.trim());
    return (await isModel(snapshot)) ? snapshot : null;
  }

  #hash(folder: string): Promise<string> {
    return this.#kept(folder, [folder, join(folder, 'config.json')], () => hashOfFolder(folder));
  }

  #hashOf(file: string): Promise<string> {
    return this.#kept(file, [file], () => hashOfGguf(file));
  }

  /** What has not changed has the hash it had. */
  async #kept(path: string, seen: readonly string[], made: () => Promise<string>): Promise<string> {
    const stats = await Promise.all(seen.map((each) => stat(each)));
    const state = stats.map(({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`).join();
    const known = this.#hashes.get(path);
    if (known?.state === state) return known.hash;
    const hash = made();
    hash.catch(() => this.#hashes.delete(path));
    this.#hashes.set(path, { state, hash });
    return hash;
  }
}

/** `models--owner--name` of the hub's cache. */
function hubIdOf(folder: string): string | undefined {
  const [, owner, name] = /^models--([^/]+?)--([^/]+)$/.exec(folder.split('/').at(-1) ?? '') ?? [];
  return owner === undefined || name === undefined ? undefined : `${owner}/${name}`;
}
