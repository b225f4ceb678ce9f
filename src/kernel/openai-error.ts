import type { AppError } from './errors.js';

/** As OpenAI answers errors, https://platform.openai.com/docs/guides/error-codes; its SDKs make their exceptions of it. */
export interface OpenAiError {
  message: string;
  type: string;
  param: string | null;
  code: string | null;
}

const TYPES: Readonly<Record<number, string>> = {
  403: 'permission_error',
  429: 'rate_limit_error',
  503: 'service_unavailable_error',
  504: 'timeout_error',
};
const CODES: Readonly<Record<number, string>> = {
  401: 'invalid_api_key',
  403: 'insufficient_permissions',
  429: 'rate_limit_exceeded',
};

/** Whether the OpenAI surface answers at this path. */
export const isOpenAiPath = (path: string): boolean => /^\/v1(\/|$)/i.test(path);

/** Bad input is 400 there, never 422. */
export const openAiStatus = ({ status }: AppError): number => (status === 422 ? 400 : status);

/** @param mask takes secrets out of a text */
export function openAiError(error: AppError, mask = (text: string): string => text): OpenAiError {
  const status = openAiStatus(error);
  const [problem] = error.problems;
  return {
    message: mask(error.message),
    type: TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'server_error'),
    param: problem?.path || null,
    code: problem?.code ?? CODES[status] ?? null,
  };
}
