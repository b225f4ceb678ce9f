import { randomUUID } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';
import helmet from 'helmet';
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
export const securityHeaders = helmet({
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

/** Routes that read forms and files; every other takes JSON alone, which no page of another site can send unasked. */
const FORMS = [/^\/(ingestion\/)?upload\//, /^\/api\/datasets(\/create|\/[\w-]+\/versions)?\/?(\?|$)/];
const takesForm = (url: string): boolean => FORMS.some((form) => form.test(url));

export const refuseMisshapen: Middleware = (request, _response, next) => {
  checkHead(request, takesForm);
  next();
};

export const refuseMisshapenBody: Middleware = (request, _response, next) => {
  checkParsed(request.body);
  next();
};
