import { EnvError, makeValidator, str } from 'envalid';
import { decimal, list, secret, whole } from './setting-kinds.js';

const KINDS = ['embedded', 'llamacpp', 'ollama', 'vllm'] as const;
type Kind = (typeof KINDS)[number];

/** The same folder, here and at the engines. */
function mapOf(text: string): { local: string; remote: string } | undefined {
  const [local, remote, ...more] = text.split(':').map((part) => part.trim().replace(/(.)\/+$/, '$1'));
  if (!local?.startsWith('/') || !remote?.startsWith('/') || more.length > 0) return undefined;
  return { local, remote };
}

const pathMap = makeValidator<string>((input) => {
  if (!mapOf(input)) throw new EnvError(`"${input}" is not of the form /local/folder:/remote/folder`);
  return input;
});

export const servingSpecs = {
  CLARA_SERVING_ENGINE: str<Kind>({
    choices: KINDS,
    default: 'embedded',
    desc: 'What answers. embedded, llamacpp: a process of this host. vllm, ollama: servers at CLARA_SERVING_URLS, or a vLLM of CLARA_VLLM_COMMAND.',
  }),
  CLARA_SERVING_URLS: list({
    default: undefined,
    desc: 'Addresses of the replicas without /v1, separated by commas, such as http://gpu1:8000,http://gpu2:8000.',
  }),
  CLARA_SERVING_API_KEY: secret({
    default: undefined,
    desc: 'Key that these servers ask for (secret). Whoever reaches a server without a key may load adapters there.',
  }),
  CLARA_ADAPTER_PATH_MAP: pathMap({
    default: undefined,
    desc: 'As local:remote, where the servers see the folder of adapters at another path, such as /srv/clara/data:/mnt/clara.',
  }),
  CLARA_SERVING_MAX_LORAS: whole(1, 1024)({ default: 8, desc: 'Adapters that a replica holds at the same time.' }),
  CLARA_SERVING_MAX_RANK: whole(1, 512)({ default: 64, desc: 'Largest rank of an adapter that is served.' }),
  CLARA_SERVING_MAX_ROWS: whole(
    1,
    100_000,
  )({
    default: undefined,
    desc: 'Answers at the same time on a replica. Unset: 16 for the embedded engine, 4 for llama.cpp, else 256.',
  }),
  CLARA_SERVING_QUEUE: whole(
    0,
    100_000,
  )({ default: 256, desc: 'Requests that may wait for a replica or an adapter; a further one is answered 429.' }),
  CLARA_SERVING_IDLE_MINUTES: decimal(
    0,
    100_000,
  )({ default: 30, desc: 'An engine of this host leaves memory after this long without a request. 0: never.' }),
  CLARA_SERVING_START_SECONDS: decimal(
    1,
    36_000,
  )({ default: undefined, desc: 'Longest start of an engine. Unset: 120, and 600 where vLLM is started.' }),
  CLARA_SERVING_DRAIN_SECONDS: decimal(
    0,
    36_000,
  )({ default: 60, desc: 'Time that running answers of an unloaded version have to end.' }),
  CLARA_SERVING_DEVICE: str<'auto' | 'cpu' | 'cuda'>({
    choices: ['auto', 'cpu', 'cuda'],
    default: 'auto',
    desc: 'Where the embedded engine computes. auto: on a GPU where the host has one; it holds a slot there, as a job does.',
  }),
  CLARA_SERVING_THREADS: whole(
    1,
    1024,
  )({
    default: undefined,
    desc: 'Threads of the embedded engine and of llama.cpp; fewer while a job trains. Unset: as many as cores.',
  }),
  CLARA_VLLM_COMMAND: str({
    default: undefined,
    desc: 'Starts a vLLM of this host, words separated by blanks, such as "vllm serve /models/base". Port, key and LoRA options are added.',
  }),
  CLARA_SERVING_GGUF: str({
    default: undefined,
    desc: 'File of the base model for llama.cpp. It is called as CLARA_BASE_MODEL, which it was made from; unset: as the file.',
  }),
  CLARA_SERVING_CONTEXT: whole(
    128,
    1_000_000,
  )({
    default: 4096,
    desc: 'Tokens of prompt and answer together with llama.cpp, at most as many as its base was trained on.',
  }),
  CLARA_OLLAMA_MODEL: str({
    default: undefined,
    desc: 'Name of the base model at Ollama, such as llama3.2:1b. Adapters of CLARA_BASE_MODEL fit it where it was made from that.',
  }),
};

type Read = {
  CLARA_SERVING_ENGINE: Kind;
  CLARA_SERVING_URLS: string[] | undefined;
  CLARA_SERVING_API_KEY: string | undefined;
  CLARA_ADAPTER_PATH_MAP: string | undefined;
  CLARA_SERVING_MAX_LORAS: number;
  CLARA_SERVING_MAX_RANK: number;
  CLARA_SERVING_MAX_ROWS: number | undefined;
  CLARA_SERVING_QUEUE: number;
  CLARA_SERVING_IDLE_MINUTES: number;
  CLARA_SERVING_START_SECONDS: number | undefined;
  CLARA_SERVING_DRAIN_SECONDS: number;
  CLARA_SERVING_DEVICE: 'auto' | 'cpu' | 'cuda';
  CLARA_SERVING_THREADS: number | undefined;
  CLARA_VLLM_COMMAND: string | undefined;
  CLARA_SERVING_GGUF: string | undefined;
  CLARA_SERVING_CONTEXT: number;
  CLARA_OLLAMA_MODEL: string | undefined;
};

const ROWS: Readonly<Record<Kind, number>> = { embedded: 16, llamacpp: 4, ollama: 256, vllm: 256 };
const START_SECONDS = { ours: 120, vllm: 600 };

const isAddress = (text: string): boolean => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && !url.username && !url.search && !url.hash;
};

const MEANT_FOR = {
  CLARA_SERVING_URLS: ['vllm', 'ollama'],
  CLARA_SERVING_API_KEY: ['vllm', 'ollama'],
  CLARA_ADAPTER_PATH_MAP: ['vllm'],
  CLARA_VLLM_COMMAND: ['vllm'],
  CLARA_SERVING_GGUF: ['llamacpp'],
  CLARA_OLLAMA_MODEL: ['ollama'],
} as const satisfies Partial<Record<keyof Read, readonly Kind[]>>;

export function servingProblems(read: Read): string[] {
  const { CLARA_SERVING_ENGINE: engine, CLARA_SERVING_URLS: urls = [] } = read;
  const useless = (Object.keys(MEANT_FOR) as (keyof typeof MEANT_FOR)[])
    .filter((name) => read[name] !== undefined && !(MEANT_FOR[name] as readonly Kind[]).includes(engine))
    .map(
      (name) =>
        `${name}: is of no use with CLARA_SERVING_ENGINE=${engine}; did you mean ${MEANT_FOR[name].join(' or ')}?`,
    );
  return [...useless, ...(useless.length > 0 ? [] : urlProblems(urls)), ...PROBLEMS[engine](read)];
}

const PROBLEMS: Readonly<Record<Kind, (read: Read) => string[]>> = {
  embedded: () => [],
  vllm: vllmProblems,
  ollama: ollamaProblems,
  llamacpp: ({ CLARA_SERVING_GGUF: file }) =>
    file === undefined || !/\.gguf$/i.test(file)
      ? [`CLARA_SERVING_GGUF: ${missingOr(file)}; CLARA_SERVING_ENGINE=llamacpp needs the path of a .gguf file`]
      : [],
};

const missingOr = (value: string | undefined): string => (value === undefined ? 'is missing' : `"${value}" is none`);

function vllmProblems({ CLARA_SERVING_URLS: urls = [], CLARA_VLLM_COMMAND: command }: Read): string[] {
  const problems: string[] = [];
  if (command !== undefined && urls.length > 0)
    problems.push('CLARA_VLLM_COMMAND: stands beside CLARA_SERVING_URLS; a vLLM is either started or reached');
  if (command === undefined && urls.length === 0)
    problems.push('CLARA_SERVING_URLS: is missing; CLARA_SERVING_ENGINE=vllm needs addresses, or CLARA_VLLM_COMMAND');
  if (command?.trim() === '') problems.push('CLARA_VLLM_COMMAND: is blank; name a command, or unset it');
  return problems;
}

function ollamaProblems({ CLARA_SERVING_URLS: urls = [], CLARA_OLLAMA_MODEL: model }: Read): string[] {
  const problems: string[] = [];
  if (urls.length === 0)
    problems.push(
      'CLARA_SERVING_URLS: is missing; CLARA_SERVING_ENGINE=ollama needs addresses, such as http://localhost:11434',
    );
  if (model === undefined || !/^[\w.-]+(\/[\w.-]+)*(:[\w.-]+)?$/.test(model))
    problems.push(
      `CLARA_OLLAMA_MODEL: ${missingOr(model)}; CLARA_SERVING_ENGINE=ollama needs the name of a model there, such as llama3.2:1b`,
    );
  return problems;
}

function urlProblems(urls: readonly string[]): string[] {
  const wrong = urls.filter((url) => !isAddress(url));
  const versioned = urls.filter((url) => /\/v1\/*$/.test(url));
  const twice = urls.filter((url, index) => urls.indexOf(url) !== index);
  return [
    ...wrong.map((url) => `CLARA_SERVING_URLS: "${url}" is not an http or https address without user and query`),
    ...versioned.map((url) => `CLARA_SERVING_URLS: "${url}" ends in /v1; the address goes up to it`),
    ...twice.map((url) => `CLARA_SERVING_URLS: "${url}" stands there twice`),
  ];
}

/** @param cores of this host */
export function servingOf(read: Read, cores: number) {
  const { CLARA_SERVING_ENGINE: engine, CLARA_VLLM_COMMAND: command } = read;
  return {
    engine,
    urls: (read.CLARA_SERVING_URLS ?? []).map((url) => url.replace(/\/+$/, '')),
    apiKey: read.CLARA_SERVING_API_KEY,
    pathMap: mapOf(read.CLARA_ADAPTER_PATH_MAP ?? ''),
    vllmCommand: command?.trim().split(/\s+/),
    maxLoras: read.CLARA_SERVING_MAX_LORAS,
    maxRank: read.CLARA_SERVING_MAX_RANK,
    maxRows: read.CLARA_SERVING_MAX_ROWS ?? ROWS[engine],
    queue: read.CLARA_SERVING_QUEUE,
    idleMs: read.CLARA_SERVING_IDLE_MINUTES * 60_000,
    startMs: (read.CLARA_SERVING_START_SECONDS ?? START_SECONDS[command === undefined ? 'ours' : 'vllm']) * 1000,
    drainMs: read.CLARA_SERVING_DRAIN_SECONDS * 1000,
    device: read.CLARA_SERVING_DEVICE,
    threads: read.CLARA_SERVING_THREADS ?? cores,
    gguf: read.CLARA_SERVING_GGUF,
    contextTokens: read.CLARA_SERVING_CONTEXT,
    ollamaModel: read.CLARA_OLLAMA_MODEL,
  } as const;
}
