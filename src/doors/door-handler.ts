import type { RequestListener, ServerResponse } from 'node:http';
import { markService } from '../kernel/service-port.js';
import { watchBody } from './body-deadline.js';
import type { Door, Serves } from './doors.js';

/** A year, of this host alone: what else runs below its name is not ours to decide. */
const HSTS = 'max-age=31536000';

const paths: Record<Exclude<Serves, 'everything'>, RegExp> = {
  metrics: /^\/(metrics|health)?$/,
  probes: /^\/(healthz|readyz)$/,
  pki: /^\/(api\/v1\/.+|health|healthz|readyz)?$/,
};

/** Whether a door leads to an address. */
export const leadsTo = ({ serves }: Pick<Door, 'serves'>, url: string): boolean =>
  serves === 'everything' || paths[serves].test(url.split('?', 1)[0] ?? '');

/** What a door does to a request before the application gets it. */
export function doorHandler(door: Door, handler: RequestListener): RequestListener {
  return (request, response) => {
    const { url = '/' } = request;
    watchBody(request, response);
    markService(request, door.service, door.port);
    if (door.protocol === 'tls') response.setHeader('strict-transport-security', HSTS);
    if (!leadsTo(door, url)) return notHere(door, url, response);
    // One route, and one rule of access, for the metrics under both their addresses.
    if (door.service === 'metrics' && /^\/(\?|$)/.test(url)) request.url = `/metrics${url.slice(1)}`;
    handler(request, response);
  };
}

function notHere(door: Door, url: string, response: ServerResponse): void {
  const detail = `This port serves ${door.serves} only, and nothing at ${url.slice(0, 100)}`;
  const problem = { type: 'about:blank', title: 'Not found', status: 404, code: 'not_found', detail };
  response.writeHead(404, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify(problem));
}
