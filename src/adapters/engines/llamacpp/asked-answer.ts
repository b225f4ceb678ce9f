import { BadRequest } from './bad-request.js';
import { flag, number, refuseUnknown, shown, texts, whole, type Body } from './request-fields.js';

export interface Turn {
  role: string;
  content: string;
}

/** What a request asks for; defaults are OpenAI's. */
export interface AskedAnswer {
  model: string;
  /** A conversation, or a text to go on with. */
  prompt: { turns: Turn[] } | { text: string } | { tokens: number[] };
  /** undefined: as many as the context holds. */
  maxTokens: number | undefined;
  temperature: number;
  topP: number;
  /** 0: all tokens. */
  topK: number;
  minP: number;
  seed: number | undefined;
  /** The answer goes on behind a token that would end it. */
  ignoresEnd: boolean;
  stops: string[];
  isStream: boolean;
  wantsUsage: boolean;
  /** The likeliest tokens that are told with each token; undefined: no probabilities. */
  likeliest: number | undefined;
}

const MOST_LIKELIEST = 20;
const MOST_STOPS = 16;
const MOST_TOKENS = 2 ** 31;
const TEXT_TOKENS = 16;

const COMMON = [
  'model',
  'stream',
  'stream_options',
  'temperature',
  'top_p',
  'top_k',
  'min_p',
  'seed',
  'stop',
  'max_tokens',
  'ignore_eos',
];
const CHAT = [...COMMON, 'messages', 'max_completion_tokens', 'logprobs', 'top_logprobs'];
const TEXT = [...COMMON, 'prompt', 'logprobs'];

/** @throws BadRequest */
export function askedChat(body: Body): AskedAnswer {
  refuseUnknown(body, CHAT);
  const likeliest = whole(body, 'top_logprobs', 0, MOST_LIKELIEST);
  const wants = flag(body, 'logprobs');
  if (likeliest !== undefined && !wants) throw new BadRequest('top_logprobs needs logprobs: true', 'top_logprobs');
  const newer = whole(body, 'max_completion_tokens', 1, MOST_TOKENS);
  return {
    ...common(body),
    prompt: { turns: turnsOf(body['messages']) },
    maxTokens: newer ?? whole(body, 'max_tokens', 1, MOST_TOKENS),
    likeliest: wants ? (likeliest ?? 0) : undefined,
  };
}

/** @throws BadRequest */
export function askedText(body: Body): AskedAnswer {
  refuseUnknown(body, TEXT);
  return {
    ...common(body),
    prompt: promptOf(body['prompt']),
    maxTokens: whole(body, 'max_tokens', 1, MOST_TOKENS) ?? TEXT_TOKENS,
    likeliest: whole(body, 'logprobs', 0, MOST_LIKELIEST),
  };
}

function common(body: Body): Omit<AskedAnswer, 'prompt' | 'maxTokens' | 'likeliest'> {
  const model = body['model'];
  if (typeof model !== 'string' || model === '')
    throw new BadRequest(`model must be a text, not ${shown(model)}`, 'model');
  const topP = number(body, 'top_p', 0, 1) ?? 1;
  if (topP === 0) throw new BadRequest('top_p must be above 0; for the likeliest token take temperature 0', 'top_p');
  const options = body['stream_options'] ?? {};
  if (typeof options !== 'object') throw new BadRequest('stream_options must be an object', 'stream_options');
  return {
    model,
    temperature: number(body, 'temperature', 0, 2) ?? 1,
    topP,
    topK: Math.max(0, whole(body, 'top_k', -1, MOST_TOKENS) ?? 0),
    minP: number(body, 'min_p', 0, 1) ?? 0,
    seed: whole(body, 'seed', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    ignoresEnd: flag(body, 'ignore_eos'),
    stops: texts(body, 'stop', MOST_STOPS),
    isStream: flag(body, 'stream'),
    wantsUsage: flag(options as Body, 'include_usage'),
  };
}

function turnsOf(messages: unknown): Turn[] {
  if (!Array.isArray(messages) || messages.length === 0)
    throw new BadRequest(`messages must be a list of at least one message, not ${shown(messages)}`, 'messages');
  return messages.map((message, at) => turnOf(message, `messages[${at}]`));
}

function turnOf(message: unknown, place: string): Turn {
  const { role, content, tool_calls: calls } = (message ?? {}) as Record<string, unknown>;
  if (typeof role !== 'string' || role === '')
    throw new BadRequest(`${place}.role must be a text such as user, not ${shown(role)}`, `${place}.role`);
  if (calls !== undefined && calls !== null)
    throw new BadRequest('tool calls are not supported by the llama.cpp engine', `${place}.tool_calls`);
  // OpenAI's newer name of the same role.
  return { role: role === 'developer' ? 'system' : role, content: contentOf(content, `${place}.content`) };
}

function contentOf(content: unknown, place: string): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw new BadRequest(`${place} must be a text or a list of text parts`, place);
  const parts = content.map((part) => {
    const { type, text } = (part ?? {}) as Record<string, unknown>;
    if (type !== 'text' || typeof text !== 'string')
      throw new BadRequest(`${place} may hold parts of the type text only, not ${shown(part)}`, place);
    return text;
  });
  return parts.join('\n');
}

function promptOf(prompt: unknown): AskedAnswer['prompt'] {
  const only: unknown = Array.isArray(prompt) && prompt.length === 1 ? prompt[0] : prompt;
  if (typeof only === 'string') return { text: only };
  const list = Array.isArray(only) ? only : prompt;
  if (Array.isArray(list) && list.length > 0 && list.every((token) => Number.isSafeInteger(token) && token >= 0))
    return { tokens: list as number[] };
  throw new BadRequest(`prompt must be one text or the tokens of one, not ${shown(prompt)}`, 'prompt');
}
