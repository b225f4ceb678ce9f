import type { Settings } from '../../config/settings.js';
import type { Log } from '../../kernel/log.js';
import { NoTracing } from '../../modules/serving/gateway/no-tracing.js';
import type { Tracing } from '../../modules/serving/gateway/tracing.port.js';

/** Spans where an endpoint is set; the packages that make them are loaded only then. */
export async function openTracing({ gateway }: Pick<Settings, 'gateway'>, log: Log): Promise<Tracing> {
  if (gateway.traces === undefined) return new NoTracing();
  const { OtelTracing } = await import('./otel-tracing.js');
  log.info('spans of answers are sent', { endpoint: gateway.traces });
  return new OtelTracing(gateway.traces);
}
