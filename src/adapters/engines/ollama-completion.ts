/** What a text completion of OpenAI's asks for, as Ollama's own API takes it. */
export interface RawCompletion {
  model: string;
  isStream: boolean;
  wantsUsage: boolean;
  /** Only the probabilities of one token are wanted, whichever it is. */
  isProbe: boolean;
  hasChances: boolean;
  /** Body for /api/generate. */
  content: object;
}

type Fields = Readonly<Record<string, unknown>>;

/** OpenAI's own; Ollama goes on without an end. */
const DEFAULT_TOKENS = 16;
const TAKEN = [
  'model',
  'prompt',
  'max_tokens',
  'temperature',
  'top_p',
  'seed',
  'stop',
  'frequency_penalty',
  'presence_penalty',
  'logprobs',
  'stream',
  'stream_options',
  'ignore_eos',
  'user',
];
/** What is so anyway may be said. */
const SAME: Fields = { n: 1, best_of: 1, echo: false };

/**
 * Ollama's /v1/completions writes the prompt into the chat template, punishes tokens that repeat and has no probabilities;
 * /api/generate goes on with a text as it stands. Undefined for what only the former takes, which goes there as it is.
 */
export function rawCompletion(body: Buffer): RawCompletion | undefined {
  const fields = fieldsOf(body);
  const { model, prompt, logprobs, stream_options: options } = fields;
  if (typeof model !== 'string' || typeof prompt !== 'string' || !Object.entries(fields).every(isTaken))
    return undefined;
  const isStream = fields['stream'] === true;
  const isProbe = fields['ignore_eos'] === true && fields['max_tokens'] === 1 && typeof logprobs === 'number';
  const hasChances = typeof logprobs === 'number';
  const content = {
    model,
    prompt,
    raw: true,
    stream: isStream,
    ...(hasChances && { logprobs: true, top_logprobs: logprobs }),
    // It tells nothing of a token that ends the text, or is a part of a letter only. The beginning of a JSON value is
    // neither, and which token is taken changes nothing in what the model thinks of all of them.
    ...(isProbe && { format: 'json' }),
    options: optionsOf(fields),
  };
  const wantsUsage = (options as { include_usage?: unknown } | null | undefined)?.include_usage === true;
  return { model, isStream, wantsUsage, isProbe, hasChances, content };
}

const isTaken = ([name, value]: [string, unknown]): boolean =>
  TAKEN.includes(name) || value === null || SAME[name] === value;

function optionsOf(fields: Fields): object {
  const { max_tokens, temperature, top_p, seed, stop, frequency_penalty, presence_penalty } = fields;
  const asked = { seed, frequency_penalty, presence_penalty, stop: typeof stop === 'string' ? [stop] : stop };
  return {
    num_predict: max_tokens ?? DEFAULT_TOKENS,
    temperature: temperature ?? 1,
    top_p: top_p ?? 1,
    // Ollama's own would choose among 40 tokens, and rather ones that were not there yet.
    top_k: 0,
    repeat_penalty: 1,
    ...Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined && value !== null)),
  };
}

function fieldsOf(body: Buffer): Fields {
  try {
    const parsed: unknown = JSON.parse(body.toString());
    return typeof parsed === 'object' && parsed !== null ? (parsed as Fields) : {};
  } catch {
    return {};
  }
}
