import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule, type Outside } from './app.module.js';
import { ApiDescription } from './modules/docs/api-description.js';
import {
  countRequests,
  furtherHeaders,
  isForm,
  isOcspRequest,
  isParsed,
  refuseForeignForms,
  refuseMisshapen,
  refuseMisshapenBody,
  requestId,
  securityHeaders,
} from './http-middleware.js';
import { openApiDocument } from './openapi-document.js';
import { NestLog } from './adapters/logging/pino-log.js';
import { originAllowed } from './kernel/origin.js';
import { ProblemFilter } from './kernel/problem.filter.js';
import { checkBytes } from './kernel/request-shape.js';
import { validationPipe } from './kernel/validation.pipe.js';
import { RequestLimit } from './modules/limits/request-limit.port.js';

/** CORS for the configured origins; in debug mode, where none is configured, for every loopback origin. */
function corsOrigins(configured: readonly string[] | undefined) {
  return (origin: string | undefined, answer: (error: Error | null, allow: boolean) => void): void =>
    answer(null, origin !== undefined && originAllowed(origin, configured));
}

const checkBody = (_request: unknown, _response: unknown, body: Buffer, charset: string): void =>
  checkBytes(body, charset);

/** The HTTP side of the application, initialised but not yet listening. */
export async function createHttpApplication(outside: Outside): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule.with(outside), {
    logger: new NestLog(outside.log),
    bodyParser: false,
    // What cannot be opened is said by whoever starts the application.
    abortOnError: false,
  });
  const { http, limits } = outside.settings;
  app.disable('x-powered-by');
  app.set('trust proxy', [...limits.trustedProxies]);
  app.use(requestId, securityHeaders, furtherHeaders, countRequests(app.get(RequestLimit)), refuseMisshapen);
  app.use(refuseForeignForms(http.corsOrigins));
  app.enableCors({ origin: corsOrigins(http.corsOrigins), credentials: false, maxAge: 600 });
  // Nest's type has no `verify`, which the parser below it takes.
  const parser = { limit: limits.maxBodyBytes, verify: checkBody, type: isParsed };
  app.useBodyParser('json', parser);
  const forms = { extended: false, limit: '64kb', verify: checkBody, type: isForm };
  app.useBodyParser('urlencoded', forms);
  app.useBodyParser('raw', { type: isOcspRequest, limit: '16kb' });
  app.use(refuseMisshapenBody);
  app.useGlobalPipes(validationPipe());
  app.useGlobalFilters(new ProblemFilter(outside.log, outside.settings.mask));
  app.get(ApiDescription).document = openApiDocument(app);
  return app;
}
