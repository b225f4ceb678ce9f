import { str } from 'envalid';
import { decimal, httpUrlOrSelf, secret, whole } from './setting-kinds.js';

export const writerSpecs = {
  CLARA_WRITER_URL: httpUrlOrSelf({
    default: undefined,
    desc: 'Address, up to /v1, of a server with the OpenAI API whose model writes questions for datasets. It is sent the passages. self: the engines that answer here; nothing leaves them. Unset: questions by templates only.',
  }),
  CLARA_WRITER_MODEL: str({
    default: undefined,
    desc: 'Name of the model at that server; with self a base, an adapter or an alias of GET /v1/models.',
  }),
  CLARA_WRITER_API_KEY: secret({ default: undefined, desc: 'Key for that server (secret).' }),
  CLARA_WRITER_CONCURRENCY: whole(
    1,
    256,
  )({ default: 4, desc: 'Passages of a version that it is asked about at once.' }),
  CLARA_WRITER_TIMEOUT_SECONDS: decimal(0.1, 86_400)({ default: 120, desc: 'Longest wait for one of its answers.' }),
  CLARA_WRITER_DEADLINE_SECONDS: decimal(
    0.1,
    86_400,
  )({
    default: 600,
    desc: 'How long a question is tried again while the server is busy or away; then the building of the version ends, and its answers are kept for the next one.',
  }),
  CLARA_WRITER_MAX_TOKENS: whole(16, 1_000_000)({ default: 2000, desc: 'Longest answer.' }),
  CLARA_WRITER_GROUNDING: decimal(
    0,
    1,
  )({
    default: 0.6,
    desc: 'Share of the words of an answer that the passage must have; its numbers and provisions must all be there. 0: nothing is compared.',
  }),
};

type Read = {
  CLARA_WRITER_URL: string | undefined;
  CLARA_WRITER_MODEL: string | undefined;
  CLARA_WRITER_API_KEY: string | undefined;
  CLARA_WRITER_CONCURRENCY: number;
  CLARA_WRITER_TIMEOUT_SECONDS: number;
  CLARA_WRITER_DEADLINE_SECONDS: number;
  CLARA_WRITER_MAX_TOKENS: number;
  CLARA_WRITER_GROUNDING: number;
};

/** The engines of the application itself. */
const SELF = 'self';

/** undefined: no model is configured. */
function serverOf({ CLARA_WRITER_URL: url, CLARA_WRITER_MODEL: model, CLARA_WRITER_API_KEY: apiKey }: Read) {
  if (url === undefined || model === undefined) return undefined;
  return url === SELF ? ({ is: 'own', model } as const) : ({ is: 'outside', url, model, apiKey } as const);
}

export function writerProblems(read: Read): string[] {
  if (read.CLARA_WRITER_URL === SELF && read.CLARA_WRITER_API_KEY !== undefined)
    return ['CLARA_WRITER_API_KEY: is of no use with CLARA_WRITER_URL=self'];
  if (read.CLARA_WRITER_URL !== undefined)
    return read.CLARA_WRITER_MODEL?.trim() ? [] : ['CLARA_WRITER_MODEL: is missing; CLARA_WRITER_URL needs a model'];
  const useless = (['CLARA_WRITER_MODEL', 'CLARA_WRITER_API_KEY'] as const).filter((name) => read[name] !== undefined);
  return useless.map((name) => `${name}: is of no use without CLARA_WRITER_URL`);
}

export const writerOf = (read: Read) =>
  ({
    server: serverOf(read),
    atOnce: read.CLARA_WRITER_CONCURRENCY,
    timeoutMs: read.CLARA_WRITER_TIMEOUT_SECONDS * 1000,
    deadlineMs: read.CLARA_WRITER_DEADLINE_SECONDS * 1000,
    maxTokens: read.CLARA_WRITER_MAX_TOKENS,
    grounding: read.CLARA_WRITER_GROUNDING,
  }) as const;
