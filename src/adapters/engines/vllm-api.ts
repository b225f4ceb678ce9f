import {
  AdapterRefused,
  EngineUnavailable,
  type EngineReply,
  type EngineRequest,
  type ServedModel,
} from '../../modules/serving/engine.port.js';
import { EngineHttp, type JsonAnswer } from './engine-http.js';

/** Whether the adapters of a server can be changed, and by whom. */
export type AdapterControl = 'keyed' | 'open' | 'off';

interface Listed {
  id: string;
  parent?: string | null;
  root?: string | null;
}

/** vLLM's HTTP API; the embedded engine speaks it too. */
export class VllmApi {
  readonly #http: EngineHttp;

  constructor(url: string, key: string | undefined) {
    this.#http = new EngineHttp(url, key);
  }

  send(request: EngineRequest): Promise<EngineReply> {
    return this.#http.send(request);
  }

  /** @throws EngineUnavailable where it does not answer with a list */
  async models(signal: AbortSignal): Promise<ServedModel[]> {
    const answer = await this.#http.json('GET', '/v1/models', { signal });
    const data = (answer.body as { data?: unknown } | null)?.data;
    if (answer.status !== 200 || !Array.isArray(data))
      throw new EngineUnavailable(`the engine does not list its models (${answer.status}): ${wordsOf(answer)}`);
    return (data as Listed[]).map(({ id, parent, root }) => ({
      engineName: id,
      parent: parent ?? null,
      root: root ?? null,
    }));
  }

  /** @throws AdapterRefused with the engine's words; EngineUnavailable */
  async load(name: string, path: string, signal: AbortSignal): Promise<void> {
    const content = { lora_name: name, lora_path: path };
    const answer = await this.#http.json('POST', '/v1/load_lora_adapter', { content, signal });
    if (answer.status < 300 || isThereAlready(answer)) return;
    throw refusal(answer);
  }

  /** What is not there need not go. @throws AdapterRefused, EngineUnavailable */
  async unload(name: string, signal: AbortSignal): Promise<void> {
    const answer = await this.#http.json('POST', '/v1/unload_lora_adapter', { content: { lora_name: name }, signal });
    if (answer.status < 300 || (answer.status === 404 && !isRouteMissing(answer))) return;
    throw refusal(answer);
  }

  /** Asks with an empty order, which no engine carries out. */
  async adapterControl(signal: AbortSignal): Promise<AdapterControl> {
    const ask = (as?: 'stranger') =>
      this.#http.json('POST', '/v1/load_lora_adapter', { content: {}, signal, ...(as ? { as } : {}) });
    const stranger = await ask('stranger');
    if (stranger.status === 401 || stranger.status === 403) return 'keyed';
    return isRouteMissing(stranger) ? 'off' : 'open';
  }

  async threads(threads: number, signal: AbortSignal): Promise<void> {
    await this.#http.json('POST', '/engine/threads', { content: { threads }, signal });
  }

  close(): Promise<void> {
    return this.#http.close();
  }
}

const isThereAlready = (answer: JsonAnswer): boolean =>
  answer.status === 400 && /already (been )?loaded/i.test(wordsOf(answer));

/** FastAPI's own words for a path that it does not know. */
const isRouteMissing = ({ status, body }: JsonAnswer): boolean =>
  (status === 404 || status === 405) && (body as { detail?: unknown } | null)?.detail !== undefined;

function refusal(answer: JsonAnswer): Error {
  if (answer.status === 401 || answer.status === 403)
    return new EngineUnavailable('the engine does not take the key of CLARA_SERVING_API_KEY');
  if (isRouteMissing(answer))
    return new AdapterRefused(
      'the engine takes no adapters while it runs; start it with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True',
    );
  return new AdapterRefused(`the engine answers ${answer.status}: ${wordsOf(answer)}`);
}

const SHOWN = 500;

/** The words of an error as OpenAI, older vLLM and FastAPI write them. */
function wordsOf({ body }: JsonAnswer): string {
  if (typeof body !== 'object' || body === null) return String(body).slice(0, SHOWN);
  const { error, message, detail } = body as { error?: { message?: unknown }; message?: unknown; detail?: unknown };
  const words = error?.message ?? message ?? detail ?? body;
  return (typeof words === 'string' ? words : JSON.stringify(words)).slice(0, SHOWN);
}
