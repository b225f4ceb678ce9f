import { stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { setImmediate as allComeTogether } from 'node:timers/promises';
import type { ConfigContext, ConfigRequest } from './context.js';
import { resolveConfig, type ResolvedJob } from './resolve-config.js';

/** What the files do not tell (a link on the way to one, a new output folder) is looked at again after this time. */
const LONGEST_MS = 2000;
/** Two changes of a file within one tick of the file system's clock look like one. */
const CLOCK_TICK_MS = 100;
const MOST_PLANS = 100;

interface FileState {
  path: string;
  changedMs: number;
  identity: string;
}

interface Plan {
  job: ResolvedJob;
  until: number;
  files: FileState[];
  /** A look at the files that has not begun yet: whoever asks until then shares it. */
  nextLook?: Promise<boolean> | undefined;
}

async function stateOf(path: string): Promise<FileState> {
  const { dev, ino, size, mtimeMs, ctimeMs } = await stat(path);
  return { path, changedMs: ctimeMs, identity: [dev, ino, size, mtimeMs, ctimeMs].join(' ') };
}

const isSame = async ({ path, identity }: FileState): Promise<boolean> =>
  stateOf(path).then(
    (now) => now.identity === identity,
    () => false,
  );

/** Many requests that come together cost one look, which begins when they all have come. */
function isUnchanged(plan: Plan): Promise<boolean> {
  return (plan.nextLook ??= allComeTogether().then(async () => {
    plan.nextLook = undefined;
    return (await Promise.all(plan.files.map(isSame))).every(Boolean);
  }));
}

/** The files that a plan was made from; a folder stands for the names in it. */
function filesOf(
  { config_path, dataset_path, dataset, start_from }: ConfigRequest,
  { run }: ResolvedJob['config'],
  root: string,
): string[] {
  const data = [...run.data.train, ...run.data.validation].map(({ path }) => path);
  const model = isAbsolute(run.model.path) ? [run.model.path] : [];
  return [config_path, ...(dataset_path && !dataset ? [dataset_path] : [])]
    .map((path) => resolve(root, path))
    .concat(data, model, start_from ? [join(start_from, 'adapter_config.json')] : []);
}

/** Remembers what requests came to: a plan holds as long as the files it was made from are the same, two seconds at most. */
export class PlanMemory {
  readonly #plans = new Map<string, Plan>();

  constructor(private readonly context: ConfigContext) {}

  /**
   * As `resolveConfig`. The answer is shared: it is only read.
   * @throws AppError `invalid`
   */
  async plan(request: ConfigRequest): Promise<ResolvedJob> {
    const key = JSON.stringify(request);
    const known = this.#plans.get(key);
    if (known && Date.now() < known.until && (await isUnchanged(known))) return known.job;
    const started = Date.now();
    const job = await resolveConfig(request, this.context);
    const paths = new Set(filesOf(request, job.config, this.context.settings.root));
    const files = await Promise.all([...paths].map(stateOf)).catch(() => undefined);
    // A file that changed while it was read may not be what the plan was made from.
    if (files?.every(({ changedMs }) => changedMs < started - CLOCK_TICK_MS))
      this.#remember(key, { job, until: started + LONGEST_MS, files });
    return job;
  }

  #remember(key: string, plan: Plan): void {
    this.#plans.delete(key);
    const [oldest] = this.#plans.keys();
    if (this.#plans.size >= MOST_PLANS && oldest !== undefined) this.#plans.delete(oldest);
    this.#plans.set(key, plan);
  }
}
