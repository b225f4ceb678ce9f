import type { IncomingMessage, ServerResponse } from 'node:http';

export interface BodyPace {
  /** A body that is no upload must be here after this; of an upload, the time that `leastBytes` may take. */
  ms: number;
  leastBytes: number;
}

/** The largest body that is no upload takes a second over a slow line. */
const PACE: BodyPace = { ms: 60_000, leastBytes: 64 * 1024 };
const LATE = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n';

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

const isUpload = ({ headers }: IncomingMessage): boolean =>
  /^\s*(multipart\/form-data|application\/octet-stream)\b/i.test(headers['content-type'] ?? '');

/**
 * Ends requests whose body does not come. Node's own limit counts the whole request, and a file of gigabytes takes
 * its time: an upload may go on as long as it moves.
 */
export function watchBody(request: IncomingMessage, response: ServerResponse, { ms, leastBytes } = PACE): void {
  if (!hasBody(request)) return;
  const { socket } = request;
  let seen = socket.bytesRead;
  const timer = setInterval(() => {
    const moved = socket.bytesRead - seen;
    seen = socket.bytesRead;
    if (request.complete) return clearInterval(timer);
    if (isUpload(request) && moved >= leastBytes) return;
    clearInterval(timer);
    if (response.headersSent) socket.destroy();
    else socket.end(LATE, () => socket.destroy());
  }, ms);
  timer.unref();
  const off = (): void => clearInterval(timer);
  request.once('end', off).once('close', off);
}
