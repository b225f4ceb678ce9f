import type { Settings } from '../../config/settings.js';
import type { Embedder } from '../../modules/documents/embedder.port.js';
import { PastEmbedders, type EmbedderSetting } from '../../modules/documents/past-embedders.port.js';
import { openEmbedder } from './open-embedder.js';

/** One embedder a setting; the same server or kind of worker, with the model and prefixes of then. */
export class OpenedEmbedders extends PastEmbedders {
  readonly current: EmbedderSetting;
  readonly #opened = new Map<string, Embedder>();

  constructor(
    private readonly settings: Settings,
    private readonly parts: Parameters<typeof openEmbedder>[1],
  ) {
    super();
    const { model, prefixes } = settings.embedder;
    this.current = { model, prefixes };
  }

  open(setting: EmbedderSetting): Embedder {
    const key = JSON.stringify(setting);
    const known = this.#opened.get(key);
    if (known) return known;
    const { model, prefixes } = setting;
    const { embedder: now, folders, root } = this.settings;
    const embedder = openEmbedder(
      { embedder: { ...now, model, prefixes, dimension: undefined }, folders, root },
      this.parts,
    );
    this.#opened.set(key, embedder);
    return embedder;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#opened.values()].map((embedder) => embedder.close()));
  }
}
