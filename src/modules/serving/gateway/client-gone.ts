import type { ServerResponse } from 'node:http';

/** The client is gone; nobody is left to tell. */
export class ClientGone extends Error {}

/** Aborted with ClientGone where the client leaves before its answer is complete. */
export function leaving(response: ServerResponse): AbortSignal {
  const abort = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) abort.abort(new ClientGone('the client left before its answer was complete'));
  });
  return abort.signal;
}
