import { Tracing, type AnswerSpan } from './tracing.port.js';

/** Makes no spans; the client's own context goes on to the engine. */
export class NoTracing extends Tracing {
  start(_name: string, _attributes: Readonly<Record<string, string | number>>, parent: string | undefined): AnswerSpan {
    return { traceparent: parent, end: () => undefined };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
