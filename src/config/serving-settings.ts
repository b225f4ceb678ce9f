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
    desc: 'What answers. embedded: a process of this host in the trainer environment; vllm: servers at CLARA_SERVING_URLS, or one that CLARA_VLLM_COMMAND starts.',
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
    desc: 'Answers at the same time on a replica. Unset: 16 for the embedded engine, else 256.',
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
  )({ default: undefined, desc: 'Threads of the embedded engine; fewer while a job trains. Unset: as many as cores.' }),
  CLARA_VLLM_COMMAND: str({
    default: undefined,
    desc: 'Starts a vLLM of this host, words separated by blanks, such as "vllm serve /models/base". Port, key and LoRA options are added.',
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
};

const ROWS = { embedded: 16, server: 256 };
const START_SECONDS = { embedded: 120, vllm: 600 };

const isAddress = (text: string): boolean => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && !url.username && !url.search && !url.hash;
};

export function servingProblems(read: Read): string[] {
  const { CLARA_SERVING_ENGINE: engine, CLARA_SERVING_URLS: urls = [], CLARA_VLLM_COMMAND: command } = read;
  if (engine === 'llamacpp' || engine === 'ollama')
    return [`CLARA_SERVING_ENGINE: ${engine} is not part of this version yet; take embedded or vllm`];
  if (engine === 'embedded') return embeddedProblems(read);
  const problems = [...urlProblems(urls)];
  if (command !== undefined && urls.length > 0)
    problems.push('CLARA_VLLM_COMMAND: stands beside CLARA_SERVING_URLS; a vLLM is either started or reached');
  if (command === undefined && urls.length === 0)
    problems.push('CLARA_SERVING_URLS: is missing; CLARA_SERVING_ENGINE=vllm needs addresses, or CLARA_VLLM_COMMAND');
  if (command?.trim() === '') problems.push('CLARA_VLLM_COMMAND: is blank; name a command, or unset it');
  return problems;
}

const FOR_VLLM = [
  'CLARA_SERVING_URLS',
  'CLARA_SERVING_API_KEY',
  'CLARA_ADAPTER_PATH_MAP',
  'CLARA_VLLM_COMMAND',
] as const;

const embeddedProblems = (read: Read): string[] =>
  FOR_VLLM.filter((name) => read[name] !== undefined).map(
    (name) => `${name}: is of no use with CLARA_SERVING_ENGINE=embedded; did you mean vllm?`,
  );

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
    maxRows: read.CLARA_SERVING_MAX_ROWS ?? (engine === 'embedded' ? ROWS.embedded : ROWS.server),
    queue: read.CLARA_SERVING_QUEUE,
    idleMs: read.CLARA_SERVING_IDLE_MINUTES * 60_000,
    startMs: (read.CLARA_SERVING_START_SECONDS ?? START_SECONDS[command === undefined ? 'embedded' : 'vllm']) * 1000,
    drainMs: read.CLARA_SERVING_DRAIN_SECONDS * 1000,
    device: read.CLARA_SERVING_DEVICE,
    threads: read.CLARA_SERVING_THREADS ?? cores,
  } as const;
}
