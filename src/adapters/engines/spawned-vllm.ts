import { randomBytes } from 'node:crypto';
import { freePort } from '../host/free-port.js';
import { EngineUnavailable } from '../../modules/serving/engine.port.js';
import type { Clock } from '../../kernel/clock.js';
import { trainingEnvironment } from '../launchers/child-environment.js';
import { ChildEngine, type ChildStart, type ChildSurroundings, type EngineReady } from './child-engine.js';
import { VllmApi } from './vllm-api.js';

export interface SpawnedVllmOptions {
  id: string;
  /** Program and arguments, such as `vllm serve /models/base`. */
  command: readonly string[];
  key: string | undefined;
  maxLoras: number;
  maxRank: number;
  environment: Readonly<Record<string, string | undefined>>;
}

/** The ranks that vLLM can be started with. */
const RANKS = [8, 16, 32, 64, 128, 256, 320, 512];
const POLL_MS = 500;
const ANSWER_MS = 5000;

/**
 * Runs the command in a process group of its own, and ends the group when stdin closes: vLLM takes no notice of that, and
 * it starts processes of its own.
 */
const WATCHED = `
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
sweep() { trap '' TERM; kill -TERM -$$ 2>/dev/null; (sleep 4; kill -KILL -$$) </dev/null >/dev/null 2>&1 & }
end() { sweep; wait $child; exit; }
trap end TERM
(cat <&3 >/dev/null; kill -TERM $$) </dev/null &
exec 3<&-
wait $child
code=$?
sweep
exit $code`;

/** A vLLM that this application starts. */
export class SpawnedVllm extends ChildEngine {
  readonly kind = 'vllm';
  readonly id: string;

  constructor(
    private readonly options: SpawnedVllmOptions,
    private readonly clock: Clock,
    around: ChildSurroundings,
  ) {
    super(around);
    this.id = options.id;
  }

  protected async prepare(): Promise<ChildStart> {
    const { command, maxLoras, maxRank, environment } = this.options;
    const key = this.options.key ?? randomBytes(32).toString('base64url');
    const port = await freePort();
    const rank = RANKS.find((allowed) => allowed >= maxRank) ?? maxRank;
    const added = {
      host: '127.0.0.1',
      port,
      'max-loras': maxLoras,
      'max-cpu-loras': maxLoras,
      'max-lora-rank': rank,
    };
    const options = Object.entries(added).flatMap(([name, value]) => [`--${name}`, `${value}`]);
    const own = Object.entries(environment).filter(([name]) => name.startsWith('VLLM_'));
    return {
      command: 'setsid',
      args: ['sh', '-c', WATCHED, 'sh', ...command, '--enable-lora', ...options],
      env: {
        ...trainingEnvironment(environment),
        ...(Object.fromEntries(own) as Record<string, string>),
        VLLM_ALLOW_RUNTIME_LORA_UPDATING: 'True',
        VLLM_API_KEY: key,
        VLLM_NO_USAGE_STATS: '1',
      },
      key,
      ready: (_, signal) => this.#ready(`http://127.0.0.1:${port}`, key, signal),
    };
  }

  async #ready(url: string, key: string, signal: AbortSignal): Promise<EngineReady> {
    const api = new VllmApi(url, key);
    try {
      for (;;) {
        const models = await api
          .models(AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]))
          .catch(() => undefined);
        signal.throwIfAborted();
        const base = models?.find(({ parent }) => parent === null);
        if (base) return { url, base: base.engineName };
        if (models) throw new EngineUnavailable('vLLM lists no base model');
        await this.clock.sleep(POLL_MS, signal);
      }
    } finally {
      await api.close();
    }
  }
}
