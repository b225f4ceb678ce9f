/** A file of an adapter's folder. */
export interface AdapterFile {
  /** Name in the folder. */
  name: string;
  bytes: number;
  /** Hexadecimal. */
  sha256: string;
}

/** A version as it stands in the registry: everything that is known of it. */
export interface VersionRecord {
  id: string;
  /** Order of registration. */
  seq: number;
  name: string;
  model_id: string;
  base: string;
  /** Hub id or folder that it was made on. */
  base_path: string;
  base_hash: string;
  method: string;
  rank: number;
  format: 'peft';
  path: string;
  /** The data folder whose host has the files. */
  place: string;
  /** SHA-256 over names, sizes and hashes of the files. */
  content_hash: string;
  bytes: number;
  files: AdapterFile[];
  /** adapter_config.json. */
  adapter_config: Record<string, unknown>;
  /** What the job ran with; empty for an upload. */
  configuration: Record<string, unknown>;
  /** What it was trained on. */
  dataset: Record<string, unknown> | null;
  /** Before and after the training. */
  metrics: Record<string, number>;
  origin: 'training' | 'upload';
  job_id: string | null;
  created_by: string;
  created_at: Date;
  domains: string[];
  tags: string[];
  notes: string;
  retired_at: Date | null;
  retired_by: string | null;
  files_removed_at: Date | null;
}

/** Reads the registry itself, retired versions too; serving reads the AdapterCatalog. */
export abstract class AdapterVersions {
  abstract byId(id: string): Promise<VersionRecord | undefined>;
  /** By id, name, `ft:` id or alias. */
  abstract find(reference: string): Promise<VersionRecord | undefined>;
  /** The version that a training job registered. */
  abstract ofJob(jobId: string): Promise<VersionRecord | undefined>;
}
