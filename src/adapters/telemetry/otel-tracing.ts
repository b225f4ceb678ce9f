import {
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { API_VERSION } from '../../kernel/api-version.js';
import { Tracing, type AnswerSpan } from '../../modules/serving/gateway/tracing.port.js';

const CLOSE_MS = 2000;
/** https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Spans over OTLP/HTTP, sent in batches. */
export class OtelTracing extends Tracing {
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;

  /** @param endpoint as OTEL_EXPORTER_OTLP_ENDPOINT has it: `/v1/traces` is added */
  constructor(endpoint: string) {
    super();
    const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces` });
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': 'clara', 'service.version': API_VERSION }),
      spanProcessors: [new BatchSpanProcessor({ exporter })],
    });
    this.#tracer = this.#provider.getTracer('clara.gateway');
  }

  start(name: string, attributes: Readonly<Record<string, string | number>>, parent: string | undefined): AnswerSpan {
    const span = this.#tracer.startSpan(
      name,
      { kind: SpanKind.CLIENT, attributes: { ...attributes } },
      contextOf(parent),
    );
    const { traceId, spanId, traceFlags } = span.spanContext();
    return {
      traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
      end: (ended, error) => {
        span.setAttributes({ ...ended, ...(error === undefined ? {} : { 'error.type': error }) });
        if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      },
    };
  }

  async close(): Promise<void> {
    const late = new Promise<void>((resolve) => void setTimeout(resolve, CLOSE_MS).unref());
    await Promise.race([this.#provider.shutdown().catch(() => undefined), late]);
  }
}

/** The client's span as the parent; without one, or with one that is none, a trace begins here. */
function contextOf(traceparent: string | undefined): typeof ROOT_CONTEXT {
  const [, traceId = '', spanId = '', flags = '00'] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
  return isSpanContextValid(context) ? trace.setSpanContext(ROOT_CONTEXT, context) : ROOT_CONTEXT;
}
