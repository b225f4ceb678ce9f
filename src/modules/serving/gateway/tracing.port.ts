/** A span of an answer that runs. */
export interface AnswerSpan {
  /** W3C trace context for the engine; undefined: none is sent. */
  readonly traceparent: string | undefined;
  end(attributes: Readonly<Record<string, string | number>>, error?: string): void;
}

/** Spans by the GenAI conventions, https://opentelemetry.io/docs/specs/semconv/gen-ai/. */
export abstract class Tracing {
  /** @param parent the client's traceparent */
  abstract start(
    name: string,
    attributes: Readonly<Record<string, string | number>>,
    parent: string | undefined,
  ): AnswerSpan;
  /** Sends what is left, within two seconds. */
  abstract close(): Promise<void>;
}
