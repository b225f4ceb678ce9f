import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { NextFunction, Request, Response } from 'express';
import helmet from 'helmet';
import { AppError } from './kernel/errors.js';
import { originAllowed } from './kernel/origin.js';
import { checkHead, checkParsed } from './kernel/request-shape.js';
import type { RequestLimit } from './modules/limits/request-limit.port.js';

type Middleware = (request: Request & { id?: string }, response: Response, next: NextFunction) => void;

const REQUEST_ID = /^[\w.-]{1,64}$/;

export const requestId: Middleware = (request, response, next) => {
  const given = request.get('x-request-id');
  request.id = given && REQUEST_ID.test(given) ? given : randomUUID();
  response.setHeader('x-request-id', request.id);
  next();
};

/** The two API pages run their libraries from here; both set styles in the page, ReDoc searches in a worker. */
const helmetMiddleware = helmet({
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

/** What a middleware sets on every answer alike, asked of it once and not at every request. */
function fixedHeaders(middleware: ReturnType<typeof helmet>): [string, string][] {
  const headers: [string, string][] = [];
  const recorder = {
    setHeader: (name: string, value: string) => headers.push([name, value]),
    removeHeader: () => undefined,
  };
  middleware({} as IncomingMessage, recorder as unknown as Response, (error) => {
    if (error) throw error as Error;
  });
  return headers;
}

const SECURITY = fixedHeaders(helmetMiddleware);

export const securityHeaders: Middleware = (_request, response, next) => {
  for (const [name, value] of SECURITY) response.setHeader(name, value);
  next();
};

const PERMISSIONS = 'camera=(), geolocation=(), microphone=(), payment=(), usb=()';

/** What helmet leaves out. Answers of the API are somebody's: no cache keeps them. */
export const furtherHeaders: Middleware = (request, response, next) => {
  response.setHeader('Permissions-Policy', PERMISSIONS);
  if (/^\/(api|v1)\//.test(request.path)) response.setHeader('Cache-Control', 'no-store');
  next();
};

export const countRequests =
  (limit: RequestLimit): Middleware =>
  (request, response, next) => {
    for (const [name, value] of Object.entries(limit.count(request))) response.setHeader(name, value);
    next();
  };

/** Routes that read forms and files; every other takes JSON alone. */
const FORMS = [
  /^\/(ingestion\/)?upload\//,
  /^\/api\/datasets(\/create|\/[\w-]+\/versions)?\/?(\?|$)/,
  /^\/api\/adapters\/?(\?|$)/,
  /^\/v1\/files\/?(\?|$)/,
];
const takesForm = (url: string): boolean => FORMS.some((form) => form.test(url));

export const refuseMisshapen: Middleware = (request, _response, next) => {
  checkHead(request, takesForm);
  next();
};

const hostOf = (origin: string): string | undefined => (URL.canParse(origin) ? new URL(origin).host : undefined);

/**
 * Browsers send forms for any page without asking first. One that comes from a page elsewhere is not read: in debug mode no
 * token would stop it.
 */
export const refuseForeignForms =
  (allowed: readonly string[] | undefined): Middleware =>
  (request, _response, next) => {
    const { origin, host } = request.headers;
    const isForeign = origin !== undefined && !originAllowed(origin, allowed) && hostOf(origin) !== host;
    if (isForeign && takesForm(request.url))
      throw new AppError('forbidden', `The origin ${origin} may send nothing here; add it to CLARA_CORS_ORIGINS`);
    next();
  };

/** Bodies that no parser here touches: the gateway passes them on as they come. */
const PASSED_ON = /^\/v1\/(?:chat\/completions|completions|embeddings)\/?(?:\?|$)/i;
const JSON_BODY = /^application\/json\s*(?:;|$)/i;

/** Whether the JSON parser reads the body of a request. */
export const isParsed = ({ url = '', headers }: IncomingMessage): boolean =>
  !PASSED_ON.test(url) && JSON_BODY.test(headers['content-type'] ?? '');

const isType =
  (type: RegExp) =>
  ({ headers }: IncomingMessage): boolean =>
    type.test(headers['content-type'] ?? '');

export const isForm = isType(/^application\/x-www-form-urlencoded\s*(?:;|$)/i);
export const isOcspRequest = isType(/^application\/ocsp-request\s*(?:;|$)/i);

export const refuseMisshapenBody: Middleware = (request, _response, next) => {
  checkParsed(request.body);
  next();
};
