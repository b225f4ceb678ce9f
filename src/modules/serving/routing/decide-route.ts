import type { RouterConfig } from './router-config.js';

/** An adapter that could answer. */
export interface RouteCandidate {
  /** Name of the version. */
  adapter: string;
  /** Of keywords, quality and meaning together. */
  score: number;
  /** What was found, for the rationale. */
  reasons: string[];
}

/** As the original's router answers. */
export interface RouteDecision {
  /** Name of the version; null: the base model answers. */
  adapter_id: string | null;
  confidence: number;
  /** Whether the default answers because nothing was clear. */
  fallback: boolean;
  rationale: string;
}

/** By how far the best must be ahead of the second; .99 where nobody is behind. */
export function confidenceOf(best: number, second: number): number {
  const margin = (best - second) / best;
  return margin >= 1 ? 0.99 : 1 / (1 + Math.exp(-4 * (margin - 0.5)));
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;
const shown = ({ adapter, score, reasons }: RouteCandidate): string =>
  `${adapter} ${rounded(score)}${reasons.length > 0 ? ` (${reasons.join(', ')})` : ''}`;

/**
 * Which adapter answers. Source: the original's router, `src/utils/router.py`.
 * @param fallback name of the default version; null: the base
 * @param explore share of undecided requests that take another than the best; `random` from 0 to 1
 */
export function decideRoute(
  candidates: readonly RouteCandidate[],
  thresholds: RouterConfig['thresholds'],
  fallback: string | null,
  { explore, random }: { explore: number; random: () => number },
): RouteDecision {
  const ranked = candidates
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score || a.adapter.localeCompare(b.adapter, 'en'));
  const [best, second] = ranked;
  const unclear = (rationale: string): RouteDecision => ({
    adapter_id: fallback,
    confidence: 0,
    fallback: true,
    rationale,
  });
  if (!best) return unclear('no adapter is spoken for');
  const confidence = rounded(confidenceOf(best.score, second?.score ?? 0));
  const compared = second ? `${shown(best)} before ${shown(second)}` : shown(best);
  if (best.score >= thresholds.hardDomain)
    return {
      adapter_id: best.adapter,
      confidence,
      fallback: false,
      rationale: `score from ${thresholds.hardDomain} on: ${compared}`,
    };
  if (confidence < thresholds.confLow)
    return unclear(`confidence ${confidence} is below ${thresholds.confLow}: ${compared}`);
  if (confidence < thresholds.confHigh && explore > 0 && second && random() < explore) {
    const other = ranked[1 + Math.floor(random() * (ranked.length - 1))] ?? second;
    return {
      adapter_id: other.adapter,
      confidence,
      fallback: false,
      rationale: `explored instead of ${shown(best)}: ${shown(other)}`,
    };
  }
  return { adapter_id: best.adapter, confidence, fallback: false, rationale: compared };
}
