import type { Weights } from './fusion.js';

/** Fitted on our German questions (`npm run bench -- search`), by name of the embedding model, lower case. */
const fitted: readonly { model: RegExp; vector: number }[] = [
  { model: /multilingual-e5/, vector: 0.65 },
  { model: /all-minilm-l6-v2/, vector: 0.3 },
];

/** What an embedder that was never fitted gets. */
const UNKNOWN_VECTOR = 0.1;
const RELATIONAL = 0.1;

/** Weights of the legs for an embedder; they sum to 1 without the relational one. */
export function weightsFor(model: string | null): Weights {
  const known = model === null ? undefined : fitted.find((entry) => entry.model.test(model.toLowerCase()));
  const vector = known?.vector ?? UNKNOWN_VECTOR;
  return { vector, keyword: 1 - vector, relational: RELATIONAL };
}
