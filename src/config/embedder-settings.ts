import { bool, str } from 'envalid';
import { decimal, httpUrl, secret, whole } from './setting-kinds.js';

/** Says that a model wants no prefix, where an empty setting would only be an unset one. */
const NO_PREFIX = 'none';

export const embedderSpecs = {
  CLARA_EMBEDDER: str<'worker' | 'http'>({
    choices: ['worker', 'http'],
    default: 'worker',
    desc: 'What turns texts into vectors. worker: a process of this host in the trainer environment; http: a server with the OpenAI API.',
  }),
  CLARA_EMBEDDING_MODEL: str({
    default: 'multilingual-e5-small',
    desc: 'Its model: for the worker a folder, a name below CLARA_MODEL_DIRS or a hub id; else the name at the server.',
  }),
  CLARA_EMBEDDING_QUERY_PREFIX: str({
    default: undefined,
    desc: 'What stands before a question, such as "query: ". none: nothing. Unset: what is known of the model.',
  }),
  CLARA_EMBEDDING_PASSAGE_PREFIX: str({
    default: undefined,
    desc: 'What stands before a passage, such as "passage: ". none: nothing. Unset: what is known of the model.',
  }),
  CLARA_EMBEDDING_DOWNLOAD: bool({
    default: false,
    desc: 'Fetch a model that is missing from the hub. Without, no hub is ever asked.',
  }),
  CLARA_EMBEDDING_DEVICE: str<'cpu' | 'cuda'>({
    choices: ['cpu', 'cuda'],
    default: 'cpu',
    desc: 'Where the worker computes. cuda: on the first GPU, beside trainings.',
  }),
  CLARA_EMBEDDING_THREADS: whole(
    1,
    256,
  )({
    default: undefined,
    desc: 'Threads of the worker. Unset: as many as cores, at most 4; it lets others go first.',
  }),
  CLARA_EMBEDDER_IDLE_SECONDS: decimal(
    0,
    1_000_000,
  )({
    default: 600,
    desc: 'The worker is ended after this long without a request, and started by the next. 0: never.',
  }),
  CLARA_EMBEDDING_URL: httpUrl({
    default: undefined,
    desc: 'Address of the server up to /v1, where CLARA_EMBEDDER is http.',
  }),
  CLARA_EMBEDDING_API_KEY: secret({ default: undefined, desc: 'Key for that server (secret).' }),
  CLARA_EMBEDDING_MAX_TOKENS: whole(
    16,
    1_000_000,
  )({ default: undefined, desc: 'Longest input of the model at that server. Unset: what the server says, else 512.' }),
  CLARA_EMBEDDING_DIMENSION: whole(
    1,
    100_000,
  )({ default: undefined, desc: 'Numbers that a vector must have; with others nothing is embedded. Unset: any.' }),
};

type Read = {
  CLARA_EMBEDDER: 'worker' | 'http';
  CLARA_EMBEDDING_MODEL: string;
  CLARA_EMBEDDING_QUERY_PREFIX: string | undefined;
  CLARA_EMBEDDING_PASSAGE_PREFIX: string | undefined;
  CLARA_EMBEDDING_DOWNLOAD: boolean;
  CLARA_EMBEDDING_DEVICE: 'cpu' | 'cuda';
  CLARA_EMBEDDING_THREADS: number | undefined;
  CLARA_EMBEDDER_IDLE_SECONDS: number;
  CLARA_EMBEDDING_URL: string | undefined;
  CLARA_EMBEDDING_API_KEY: string | undefined;
  CLARA_EMBEDDING_MAX_TOKENS: number | undefined;
  CLARA_EMBEDDING_DIMENSION: number | undefined;
};

const FOR_HTTP = ['CLARA_EMBEDDING_URL', 'CLARA_EMBEDDING_API_KEY', 'CLARA_EMBEDDING_MAX_TOKENS'] as const;
const MOST_THREADS = 4;

export function embedderProblems(read: Read): string[] {
  const problems: string[] = [];
  const isHttp = read.CLARA_EMBEDDER === 'http';
  if (read.CLARA_EMBEDDING_MODEL !== undefined && read.CLARA_EMBEDDING_MODEL.trim() === '')
    problems.push('CLARA_EMBEDDING_MODEL: is blank; name a model, or unset it');
  if (isHttp && !read.CLARA_EMBEDDING_URL)
    problems.push(
      'CLARA_EMBEDDING_URL: is missing; CLARA_EMBEDDER=http needs the address of a server, such as http://127.0.0.1:8000/v1',
    );
  if (isHttp && read.CLARA_EMBEDDING_DOWNLOAD)
    problems.push('CLARA_EMBEDDING_DOWNLOAD: is for CLARA_EMBEDDER=worker; the server has its model itself');
  if (!isHttp)
    problems.push(
      ...FOR_HTTP.filter((name) => read[name] !== undefined).map(
        (name) => `${name}: is of no use without CLARA_EMBEDDER=http`,
      ),
    );
  return problems;
}

interface Prefixes {
  query: string;
  passage: string;
}

const INSTRUCTION = 'Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: ';
const SENTENCE = 'Represent this sentence for searching relevant passages: ';

/** By the last name of the model; the first that fits. From the models' own pages. */
const KNOWN_PREFIXES: readonly [RegExp, Prefixes][] = [
  [/^(multilingual-)?e5-.*instruct/i, { query: INSTRUCTION, passage: '' }],
  [/^(multilingual-)?e5-/i, { query: 'query: ', passage: 'passage: ' }],
  [/^bge-.*-en\b/i, { query: SENTENCE, passage: '' }],
  [/^bge-/i, { query: '', passage: '' }],
  [/^nomic-embed-text/i, { query: 'search_query: ', passage: 'search_document: ' }],
];

const given = (prefix: string | undefined): string | undefined => (prefix === NO_PREFIX ? '' : prefix);

/** undefined: nothing is known, and the model's own configuration may tell. */
function prefixesOf(read: Read): { query: string | undefined; passage: string | undefined } {
  const name = read.CLARA_EMBEDDING_MODEL.split(/[\\/]/).findLast((part) => part !== '') ?? '';
  const known = KNOWN_PREFIXES.find(([pattern]) => pattern.test(name))?.[1];
  return {
    query: given(read.CLARA_EMBEDDING_QUERY_PREFIX) ?? known?.query,
    passage: given(read.CLARA_EMBEDDING_PASSAGE_PREFIX) ?? known?.passage,
  };
}

/** @param cores of this host */
export function embedderOf(read: Read, cores: number) {
  const common = {
    model: read.CLARA_EMBEDDING_MODEL,
    prefixes: prefixesOf(read),
    dimension: read.CLARA_EMBEDDING_DIMENSION,
  };
  if (read.CLARA_EMBEDDER === 'http')
    return {
      kind: 'http',
      ...common,
      url: read.CLARA_EMBEDDING_URL ?? '',
      apiKey: read.CLARA_EMBEDDING_API_KEY,
      maxTokens: read.CLARA_EMBEDDING_MAX_TOKENS,
    } as const;
  return {
    kind: 'worker',
    ...common,
    download: read.CLARA_EMBEDDING_DOWNLOAD,
    device: read.CLARA_EMBEDDING_DEVICE,
    threads: read.CLARA_EMBEDDING_THREADS ?? Math.min(cores, MOST_THREADS),
    idleSeconds: read.CLARA_EMBEDDER_IDLE_SECONDS,
  } as const;
}
