import { Deferred } from '../../kernel/deferred.js';
import { EngineUnavailable } from '../../modules/serving/engine.port.js';
import type { EngineReady } from './child-engine.js';

interface Line {
  ready?: { port: number; model: string };
  failed?: { message: string };
}

/** Waits for the line of an engine of ours that says its port, or why it cannot start. */
export function readyByLine(onLine: (listener: (line: string) => void) => void): Promise<EngineReady> {
  const said = new Deferred<EngineReady>();
  onLine((text) => {
    const { ready, failed } = parsed(text);
    if (ready) said.resolve({ url: `http://127.0.0.1:${ready.port}`, base: ready.model });
    if (failed) said.reject(new EngineUnavailable(failed.message));
  });
  return said.promise;
}

function parsed(text: string): Line {
  try {
    return (JSON.parse(text) as Line | null) ?? {};
  } catch {
    return {};
  }
}
