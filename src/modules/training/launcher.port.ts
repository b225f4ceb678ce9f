import type { RunFile } from './run-contract.generated.js';
import type { RunFolder } from './run-folder.js';

export interface LaunchOptions {
  /** Cores the training may use. */
  threads: number;
  /** Called when the launcher of this attempt has ended, if that happens while this process lives. */
  onExit: () => void;
}

/** Hands a run folder to whatever trains; a child of this host, later a Ray, Slurm or Kubernetes job. */
export abstract class Launcher {
  /** Starts an attempt whose run.json is written. Refuses by itself where another worker of the job lives. */
  abstract submit(folder: RunFolder, run: RunFile, options: LaunchOptions): Promise<void>;
  /** Whether any process of the job lives, of whatever attempt. */
  abstract find(folder: RunFolder): Promise<{ alive: boolean }>;
  /** TERM: save and end. KILL: end at once, all of it. */
  abstract signal(folder: RunFolder, signal: 'TERM' | 'KILL'): Promise<{ alive: boolean }>;
  /** Use of the machine by an attempt's processes. */
  abstract usage(folder: RunFolder): Promise<{ cpuPercent: number; memoryBytes: number } | undefined>;
}
