import { randomUUID } from 'node:crypto';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';
import helmet from 'helmet';
import { AppModule, type Outside } from './app.module.js';
import { openApiDocument } from './openapi-document.js';
import { NestLog } from './adapters/logging/pino-log.js';
import { originAllowed } from './kernel/origin.js';
import { ProblemFilter } from './kernel/problem.filter.js';
import { validationPipe } from './kernel/validation.pipe.js';

const BODY_LIMIT = '1mb';
const REQUEST_ID = /^[\w.-]{1,64}$/;

function requestId(request: Request & { id?: string }, response: Response, next: NextFunction): void {
  const given = request.get('x-request-id');
  request.id = given && REQUEST_ID.test(given) ? given : randomUUID();
  response.setHeader('x-request-id', request.id);
  next();
}

/** The two API pages run their libraries from here; both set styles in the page, ReDoc searches in a worker. */
const security = helmet({
  contentSecurityPolicy: {
    directives: {
      defaultSrc: ["'self'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:', 'blob:'],
      workerSrc: ["'self'", 'blob:'],
      connectSrc: ["'self'"],
      upgradeInsecureRequests: null,
    },
  },
  strictTransportSecurity: false,
});

/** CORS for the configured origins; in debug mode, where none is configured, for every loopback origin. */
function corsOrigins(configured: readonly string[] | undefined) {
  return (origin: string | undefined, answer: (error: Error | null, allow: boolean) => void): void =>
    answer(null, origin !== undefined && originAllowed(origin, configured));
}

/** The HTTP side of the application, initialised but not yet listening. */
export async function createHttpApplication(outside: Outside): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule.with(outside), {
    logger: new NestLog(outside.log),
    bodyParser: false,
    // What cannot be opened is said by whoever starts the application.
    abortOnError: false,
  });
  app.disable('x-powered-by');
  app.use(requestId, security);
  app.enableCors({ origin: corsOrigins(outside.settings.http.corsOrigins), credentials: false, maxAge: 600 });
  app.useBodyParser('json', { limit: BODY_LIMIT });
  app.useBodyParser('raw', { type: 'application/ocsp-request', limit: '16kb' });
  app.useGlobalPipes(validationPipe());
  app.useGlobalFilters(new ProblemFilter(outside.log));
  const document = openApiDocument(app);
  app
    .getHttpAdapter()
    .get('/openapi.json', (_request, response) => void app.getHttpAdapter().reply(response, document));
  return app;
}
