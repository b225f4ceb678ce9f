import { AppError } from '../../../kernel/errors.js';
import { openAiError, type OpenAiError } from '../../../kernel/openai-error.js';

/** An error of an engine as the client is told it. */
export interface ToldError {
  status: number;
  error: OpenAiError;
}

type Fields = Record<string, unknown>;

/** FastAPI's 422 is bad input; that CLARA's own key is refused is no matter of the client. */
function toldStatus(status: number): number {
  if (status === 422) return 400;
  return status === 401 || status === 403 ? 502 : status;
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});

function parsed(body: Buffer): Fields {
  try {
    return fieldsOf(JSON.parse(body.toString()));
  } catch {
    return {};
  }
}

/** Engines answer `{error}`, older ones the bare error, and FastAPI `{detail}`: OpenAI's shape is made of each. */
export function engineError(status: number, body: Buffer): ToldError {
  const told = toldStatus(status);
  if (told === 502)
    return { status: told, error: ours('The engine does not take the key of CLARA (CLARA_SERVING_API_KEY)') };
  const answer = parsed(body);
  const error = answer['error'] === undefined ? answer : fieldsOf(answer['error']);
  const message =
    text(error['message']) ??
    text(answer['error']) ??
    detailOf(answer['detail']) ??
    `The engine answered ${status} without a reason`;
  return {
    status: told,
    error: {
      message,
      type: told < 500 ? 'invalid_request_error' : 'server_error',
      param: text(error['param']) ?? null,
      code: text(error['code']) ?? null,
    },
  };
}

const ours = (message: string): OpenAiError => openAiError(new AppError('bad_gateway', message));

/** A text, or FastAPI's list of what is wrong. */
function detailOf(detail: unknown): string | undefined {
  if (!Array.isArray(detail)) return text(detail);
  return text(
    detail
      .map(fieldsOf)
      .map(
        ({ loc, msg }) =>
          `${Array.isArray(loc) ? loc.filter((part) => part !== 'body').join('.') : ''}: ${text(msg) ?? ''}`,
      )
      .join('; '),
  );
}
