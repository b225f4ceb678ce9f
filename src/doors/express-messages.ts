import { IncomingMessage, ServerResponse, type ServerOptions } from 'node:http';

export type Messages = Pick<ServerOptions, 'IncomingMessage' | 'ServerResponse'>;

type Initialise = (this: object, first: unknown, second: unknown) => void;

/**
 * Requests and answers that are born with the prototypes which an Express application gives to each of them anyway.
 * An object whose prototype is changed, or that `Reflect.construct` makes, is kept by V8 until its next full collection:
 * some 14 KB a request, and pauses of 10 ms every few seconds of load. Node's own where they are no functions any more.
 */
export function expressMessages({ request, response }: { request: object; response: object }): Messages {
  if ([IncomingMessage, ServerResponse].some(isClass)) return {};
  return {
    IncomingMessage: bornAs(IncomingMessage, request) as typeof IncomingMessage,
    ServerResponse: bornAs(ServerResponse, response) as typeof ServerResponse,
  };
}

const isClass = (kind: unknown): boolean => /^class\b/.test(String(kind));

function bornAs(kind: unknown, prototype: object): unknown {
  const initialise = kind as Initialise;
  function Born(this: object, first: unknown, second: unknown): void {
    initialise.call(this, first, second);
  }
  Born.prototype = prototype;
  return Born;
}
