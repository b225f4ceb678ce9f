import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { AppError, codeOfStatus, messageOf, type Problem } from './errors.js';
import { Log } from './log.js';
import { isOpenAiPath, openAiError, openAiStatus } from './openai-error.js';
import { SecretMask } from './secret-mask.js';
import { isDatabaseAway } from './transaction.js';

/** Any thrown thing as an error of the closed list; what is unknown loses its words here. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  if (thrown instanceof HttpException) return new AppError(codeOfStatus(thrown.getStatus()), thrown.message);
  if (isDatabaseAway(thrown))
    return new AppError(
      'unavailable',
      'The database is away; it is being started again or waited for. Try again in a few seconds',
    );
  const status = (thrown as { status?: unknown } | null)?.status;
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new AppError(codeOfStatus(status), messageOf(thrown));
  return new AppError('internal', 'Something went wrong here; the log has the details under this request_id');
}

/** Answers errors as RFC 9457 problem+json, with the original's `detail` text. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly log: Log,
    private readonly mask = new SecretMask(),
  ) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request & { id?: string }>();
    const response = http.getResponse<Response>();
    const error = toAppError(thrown);
    this.log[error.level](`${request.method} ${request.path} -> ${error.status}`, {
      request_id: request.id,
      detail: error.message,
      ...(error.code === 'internal'
        ? { cause: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) }
        : {}),
    });
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (error.status === 503) response.setHeader('Retry-After', '5');
    for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
    if (isOpenAiPath(request.path)) return this.#asOpenAi(error, response);
    response
      .status(error.status)
      .type('application/problem+json')
      .send(
        JSON.stringify({
          type: 'about:blank',
          title: error.title,
          status: error.status,
          code: error.code,
          detail: this.mask.text(error.message),
          ...(error.problems.length > 0 ? { errors: error.problems.map((problem) => this.#masked(problem)) } : {}),
          request_id: request.id,
        }),
      );
  }

  #asOpenAi(error: AppError, response: Response): void {
    const text = JSON.stringify({ error: openAiError(error, (message) => this.mask.text(message)) });
    response.status(openAiStatus(error)).type('application/json').send(text);
  }

  #masked({ path, message }: Problem): Problem {
    return { path: this.mask.text(path), message: this.mask.text(message) };
  }
}
