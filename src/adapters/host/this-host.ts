import { execFile } from 'node:child_process';
import { readFile, statfs } from 'node:fs/promises';
import { availableParallelism, hostname, totalmem, uptime } from 'node:os';
import { promisify } from 'node:util';
import { Host } from '../../modules/training/host.js';

const run = promisify(execFile);
const NVIDIA_TIMEOUT_MS = 5000;
/** NVIDIA's compute capability from which bfloat16 is computed in hardware (Ampere). */
const BF16_CAPABILITY = 8;

const firstLine = async (path: string): Promise<string | undefined> =>
  (await readFile(path, 'utf8').catch(() => undefined))?.trim() || undefined;

interface Gpus {
  /** What CUDA_VISIBLE_DEVICES calls them. */
  ids: readonly string[];
  bf16: boolean;
  /** Of the smallest one. */
  memoryBytes: number;
}

const NO_GPUS: Gpus = { ids: [], bf16: false, memoryBytes: 0 };
const MIB = 1024 * 1024;

async function findGpus(visible: string | undefined): Promise<Gpus> {
  if (visible === '') return NO_GPUS;
  const query = ['--query-gpu=compute_cap,memory.total', '--format=csv,noheader,nounits'];
  const answer = await run('nvidia-smi', query, { timeout: NVIDIA_TIMEOUT_MS }).catch(() => undefined);
  const rows = answer?.stdout.split('\n').filter((line) => line.trim() !== '') ?? [];
  if (rows.length === 0) return NO_GPUS;
  const cards = rows.map((row) => row.split(',').map(Number));
  return {
    ids: visible?.split(',').map((id) => id.trim()) ?? cards.map((_, index) => String(index)),
    bf16: cards.every(([capability]) => (capability ?? 0) >= BF16_CAPABILITY),
    memoryBytes: Math.min(...cards.map(([, mebibytes]) => (mebibytes ?? 0) * MIB)),
  };
}

/** The machine, as it was found at start. */
export class ThisHost extends Host {
  readonly hostname = hostname();
  readonly cores = availableParallelism();

  private constructor(
    readonly hostId: string,
    readonly bootId: string,
    private readonly found: Gpus,
  ) {
    super();
  }

  /** @param name what the host is called in the database; by default its machine id, else its name */
  static async look(name: string | undefined, env: Readonly<Record<string, string | undefined>>): Promise<ThisHost> {
    const [machine, boot, gpus] = await Promise.all([
      firstLine('/etc/machine-id'),
      firstLine('/proc/sys/kernel/random/boot_id'),
      findGpus(env['CUDA_VISIBLE_DEVICES']),
    ]);
    const bootedAt = Math.round((Date.now() / 1000 - uptime()) / 60);
    return new ThisHost(name ?? machine ?? hostname(), boot ?? `boot-${bootedAt}`, gpus);
  }

  get gpus(): number {
    return this.found.ids.length;
  }

  get memoryBytes(): number {
    return this.gpus > 0 ? this.found.memoryBytes : totalmem();
  }

  /** CUDA_VISIBLE_DEVICES for the GPUs with these numbers. */
  visibleDevices(gpus: readonly number[]): string {
    return gpus.map((gpu) => this.found.ids[gpu] ?? String(gpu)).join(',');
  }

  get bf16(): boolean {
    return this.found.bf16;
  }

  async freeDiskBytes(folder: string): Promise<number> {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  }
}
