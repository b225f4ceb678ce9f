/** The name of the small model that is made on the spot where CLARA_BASE_MODEL names none. */
export { MADE_BASE } from '../../kernel/base-slug.js';

/** A base model as adapters know it. */
export interface BaseModel {
  /** As `/v1/models` lists it. */
  slug: string;
  /** Hub id or folder. */
  named: string;
  /** Its folder on this host; null: it is not here. */
  folder: string | null;
  /**
   * SHA-256 over the hashes of config.json and tokenizer.json and, of each file of weights, name, size and header; of a
   * hub model that is not on this host over its id and revision.
   */
  hash: string;
}

/** A base in one file; it serves, and nothing is trained on it. */
export interface GgufBase extends BaseModel {
  folder: null;
  /** Path of the file; `hash` is over its size and its header. */
  file: string;
}

/** The base models of this host. */
export abstract class BaseModels {
  /** Slug of the model that "default" names, whether or not it is made yet. */
  abstract defaultSlug(): string;
  /**
   * @param named a hub id, a folder, or `default`
   * @throws AppError `unavailable` while the default model is not made yet
   */
  abstract of(named: string, revision?: string | null): Promise<BaseModel>;
  /** Every model that lies in CLARA_MODEL_DIRS, the install cache or the hub's cache. */
  abstract known(): Promise<BaseModel[]>;
  /** The base of llama.cpp, which may lie here as a GGUF file only; undefined: another engine answers, or the file is not there. */
  abstract ofGguf(): Promise<GgufBase | undefined>;
}
