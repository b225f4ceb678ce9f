type Level = 'debug' | 'info' | 'warn' | 'error';

const kinds = {
  bad_request: { status: 400, title: 'Bad request', level: 'info' },
  unauthorized: { status: 401, title: 'Unauthorized', level: 'info' },
  forbidden: { status: 403, title: 'Forbidden', level: 'info' },
  not_found: { status: 404, title: 'Not found', level: 'info' },
  method_not_allowed: { status: 405, title: 'Method not allowed', level: 'info' },
  conflict: { status: 409, title: 'Conflict', level: 'info' },
  too_large: { status: 413, title: 'Too large', level: 'info' },
  uri_too_long: { status: 414, title: 'Address too long', level: 'info' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type', level: 'info' },
  invalid: { status: 422, title: 'Invalid input', level: 'info' },
  rate_limited: { status: 429, title: 'Too many requests', level: 'info' },
  headers_too_large: { status: 431, title: 'Headers too large', level: 'info' },
  internal: { status: 500, title: 'Internal error', level: 'error' },
  bad_gateway: { status: 502, title: 'Bad gateway', level: 'warn' },
  timed_out: { status: 504, title: 'Timed out', level: 'warn' },
  insufficient_storage: { status: 507, title: 'Not enough storage', level: 'warn' },
  unavailable: { status: 503, title: 'Unavailable', level: 'warn' },
} as const satisfies Record<string, { status: number; title: string; level: Level }>;

export type ErrorCode = keyof typeof kinds;

/** One thing that is wrong with an input: where, what, and what to do. */
export interface Problem {
  path: string;
  message: string;
  /** What programs tell it by, such as OpenAI's `model_not_found`. */
  code?: string;
}

/** The only error that reaches a client with its own words; the list of codes is closed. */
export class AppError extends Error {
  readonly status: number;
  readonly title: string;
  readonly level: Level;

  constructor(
    readonly code: ErrorCode,
    detail: string,
    readonly problems: Problem[] = [],
    /** Headers that belong to the answer, such as WWW-Authenticate. */
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
    ({ status: this.status, title: this.title, level: this.level } = kinds[code]);
  }
}

export function codeOfStatus(status: number): ErrorCode {
  const found = Object.entries(kinds).find(([, kind]) => kind.status === status);
  if (found) return found[0] as ErrorCode;
  return status < 500 ? 'bad_request' : 'internal';
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
