import { bool, str } from 'envalid';
import { decimal, httpUrl, whole } from './setting-kinds.js';

export const gatewaySpecs = {
  CLARA_GATEWAY_MAX_BODY_MB: whole(1, 512)({ default: 32, desc: 'Longest body of /v1; a longer one is answered 413.' }),
  CLARA_GATEWAY_KEEP_KB: whole(
    64,
    524_288,
  )({
    default: 1024,
    desc: 'A body up to this long is kept while it is sent, so that a request whose engine fails before the first token is tried again elsewhere.',
  }),
  CLARA_GATEWAY_HELD_MB: whole(
    1,
    1_048_576,
  )({
    default: 512,
    desc: 'Most memory for the bodies of /v1 that are held at a time. Beyond it, a body that is being sent is not kept for another try, and one that must wait is answered 503.',
  }),
  CLARA_GATEWAY_WAIT_SECONDS: decimal(
    0.1,
    36_000,
  )({ default: 120, desc: 'Longest wait for an engine that starts or an adapter that is loaded; then 504.' }),
  CLARA_GATEWAY_SILENT_SECONDS: decimal(
    1,
    36_000,
  )({ default: 600, desc: 'An engine that sends nothing for this long is given up; its answer ends with an error.' }),
  CLARA_ROUTER_CONFIG: str({
    default: 'configs/router_config.yaml',
    desc: 'Thresholds, weights and static rules of the model "auto".',
  }),
  CLARA_DEFAULT_ADAPTER: str({
    default: undefined,
    desc: 'Version or alias that "auto" falls back to. Unset: options.default_adapter of CLARA_ROUTER_CONFIG, else the base model.',
  }),
  CLARA_ROUTER_ENABLE_EMBEDDINGS: bool({
    default: true,
    desc: 'Let "auto" also compare a prompt with the domains of the adapters by meaning, where an embedding model is there.',
  }),
  CLARA_ROUTER_ENABLE_EXPLORATION: bool({
    default: false,
    desc: 'Let "auto" now and then take another adapter than the best where it is neither sure nor unsure.',
  }),
  CLARA_ROUTER_EPSILON_START: decimal(0, 1)({ default: 0.1, desc: 'Share of such requests that explore.' }),
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl({
    default: undefined,
    desc: 'Where spans of answers go, by OTLP over HTTP (GenAI conventions of OpenTelemetry). Unset: none are made.',
  }),
};

type Read = {
  CLARA_GATEWAY_MAX_BODY_MB: number;
  CLARA_GATEWAY_KEEP_KB: number;
  CLARA_GATEWAY_HELD_MB: number;
  CLARA_GATEWAY_WAIT_SECONDS: number;
  CLARA_GATEWAY_SILENT_SECONDS: number;
  CLARA_ROUTER_CONFIG: string;
  CLARA_DEFAULT_ADAPTER: string | undefined;
  CLARA_ROUTER_ENABLE_EMBEDDINGS: boolean;
  CLARA_ROUTER_ENABLE_EXPLORATION: boolean;
  CLARA_ROUTER_EPSILON_START: number;
  OTEL_EXPORTER_OTLP_ENDPOINT: string | undefined;
};

/** @param pathOf makes a path absolute */
export const gatewayOf = (read: Read, pathOf: (path: string) => string) =>
  ({
    maxBodyBytes: read.CLARA_GATEWAY_MAX_BODY_MB * 1024 * 1024,
    keepBytes: read.CLARA_GATEWAY_KEEP_KB * 1024,
    heldBytes: read.CLARA_GATEWAY_HELD_MB * 1024 * 1024,
    waitMs: read.CLARA_GATEWAY_WAIT_SECONDS * 1000,
    silentMs: read.CLARA_GATEWAY_SILENT_SECONDS * 1000,
    router: {
      config: pathOf(read.CLARA_ROUTER_CONFIG),
      defaultAdapter: read.CLARA_DEFAULT_ADAPTER,
      embeddings: read.CLARA_ROUTER_ENABLE_EMBEDDINGS,
      exploration: read.CLARA_ROUTER_ENABLE_EXPLORATION ? read.CLARA_ROUTER_EPSILON_START : 0,
    },
    traces: read.OTEL_EXPORTER_OTLP_ENDPOINT,
  }) as const;
