export type PostgresInstallProblem =
  'no_python' | 'no_network' | 'unsupported_platform' | 'unwritable' | 'install_failed';

export declare class PostgresInstallError extends Error {
  readonly code: PostgresInstallProblem;
}

export interface PostgresInstallOptions {
  /** Default: CLARA_CACHE_DIR, else clara in the cache folder of the user. */
  cacheDir?: string;
  onProgress?: (line: string) => void;
  signal?: AbortSignal;
  /** The Python that is tried first. Default python3. */
  python?: string;
  /** Where programs are looked for. Default PATH. */
  path?: string;
}

export interface InstalledPostgres {
  binDir: string;
  version: string;
  /** false: it was there already. */
  installed: boolean;
}

export declare function defaultCacheDir(env?: Record<string, string | undefined>): string;

export declare function installPostgres(options?: PostgresInstallOptions): Promise<InstalledPostgres>;
