/** An immutable version of an adapter. */
export interface CatalogVersion {
  /** uuid, never reused. */
  id: string;
  /** As the original names adapters: `<domain>-<method>-r<rank>-v<n>`; unique. */
  name: string;
  /** OpenAI's `ft:{base}:{org}:{suffix}:{id}`; unique, and `model` in every reply of it. */
  modelId: string;
  /** Slug of the base model, as `/v1/models` lists it. */
  base: string;
  /** SHA-256 of the base's files that say what it is. */
  baseHash: string;
  method: string;
  rank: number;
  /** The PEFT folder on this host. */
  path: string;
  bytes: number;
  /** Words that the router looks for. */
  domains: string[];
  metrics: Record<string, number>;
  createdAt: Date;
}

/** A name that moves; where `splits` are, that share (0 to 1) of its requests goes to other versions. */
export interface CatalogAlias {
  alias: string;
  versionId: string;
  splits: { versionId: string; weight: number }[];
}

/** What stands in the registry, at one moment. */
export interface CatalogSnapshot {
  /** Newest first. */
  versions: readonly CatalogVersion[];
  aliases: readonly CatalogAlias[];
}

/** The registry as serving reads it: in memory, renewed within a moment of every change in any process. */
export abstract class AdapterCatalog {
  /** @throws Unavailable before the first reading of the database */
  abstract snapshot(): CatalogSnapshot;
  /** Reads the database now; what was committed before is in the next snapshot. */
  abstract refresh(): Promise<void>;
  /** What stands there now, or, where that is nothing, after a reading: what was registered a moment ago is not missed. */
  async found<T>(find: (snapshot: CatalogSnapshot) => T | undefined): Promise<T | undefined> {
    const known = find(this.snapshot());
    if (known !== undefined) return known;
    await this.refresh();
    return find(this.snapshot());
  }

  /** @returns what undoes it */
  abstract onChange(listener: () => void): () => void;
}
