export interface LlamacppInstallOptions {
  /** Default: CLARA_CACHE_DIR, else clara in the cache folder of the user. */
  cacheDir?: string;
  onProgress?: (line: string) => void;
}

/** Folder of node-llama-cpp; installs it where it is missing. */
export declare function installLlamacpp(options?: LlamacppInstallOptions): Promise<string>;
