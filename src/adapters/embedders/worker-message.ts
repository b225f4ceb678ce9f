/** What the worker says; trainer/src/clara_trainer/embed/worker.py documents it. */
export type WorkerMessage =
  | { kind: 'downloading' }
  | { kind: 'ready'; name: string; dimension: number; maxTokens: number }
  | { kind: 'failed'; code: string; message: string }
  | { kind: 'alive'; id: number }
  | { kind: 'answer'; id: number; vectors?: string; counts?: number[] }
  | { kind: 'error'; id: number; message: string };

interface Line {
  state?: string;
  ready?: { name: string; dimension: number; max_tokens: number };
  failed?: { code: string; message: string };
  id?: number;
  alive?: boolean;
  error?: string;
  vectors?: string;
  counts?: number[];
}

/** undefined: a line that is none of the worker's. */
export function parseWorkerMessage(text: string): WorkerMessage | undefined {
  const line = parse(text);
  if (line === undefined) return undefined;
  const { id, ready, failed } = line;
  if (line.state === 'downloading') return { kind: 'downloading' };
  if (ready) return { kind: 'ready', name: ready.name, dimension: ready.dimension, maxTokens: ready.max_tokens };
  if (failed) return { kind: 'failed', ...failed };
  if (id === undefined) return undefined;
  if (line.error !== undefined) return { kind: 'error', id, message: line.error };
  if (line.alive) return { kind: 'alive', id };
  const { vectors, counts } = line;
  return { kind: 'answer', id, ...(vectors === undefined ? {} : { vectors }), ...(counts ? { counts } : {}) };
}

function parse(text: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
