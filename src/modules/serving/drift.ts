import type { CatalogVersion } from '../adapters/adapter-catalog.port.js';
import type { Held } from './adapter-slots.js';
import type { ServedModel } from './engine.port.js';

export const driftKinds = ['missing', 'unexpected', 'unwanted', 'refused', 'no_slot'] as const;

/**
 * One difference between what a replica holds and what it should.
 * missing: it dropped an adapter. unexpected: it holds one that nobody gave it. unwanted: it holds one that should go.
 * refused: it does not take one, for the reason. no_slot: one that is pinned, loaded by hand or meant by an alias finds no place.
 */
export interface Drift {
  kind: (typeof driftKinds)[number];
  /** Its name at the engine. */
  engineName: string;
  versionId: string | null;
  reason: string;
}

export interface Look {
  served: readonly ServedModel[];
  held: readonly Held[];
  /** What was held when the list was asked for: what came or went since then, the list says nothing of. */
  before: readonly Held[];
  /** What it should hold, most important first. */
  wanted: readonly CatalogVersion[];
  nameOf: (version: CatalogVersion) => string;
  refusal: (versionId: string) => string | undefined;
  isLoading: (versionId: string) => boolean;
  /** Whether it is missed where it finds no place; what was only used once is not. */
  isMissed: (versionId: string) => boolean;
}

/** Every difference, those of the engine first. */
export function driftOf(look: Look): Drift[] {
  return [...missing(look), ...unexpected(look), ...unwanted(look), ...absent(look)];
}

const staying = ({ held }: Look): Held[] => held.filter(({ isLeaving }) => !isLeaving);

function missing(look: Look): Drift[] {
  const names = new Set(look.served.map(({ engineName }) => engineName));
  return staying(look)
    .filter((one) => look.before.includes(one) && !names.has(one.engineName))
    .map(({ engineName, versionId }) => ({
      kind: 'missing',
      engineName,
      versionId,
      reason: 'the engine does not list it any more',
    }));
}

function unexpected(look: Look): Drift[] {
  const known = new Set([...look.held, ...look.before].map(({ engineName }) => engineName));
  const loading = new Set(look.wanted.filter(({ id }) => look.isLoading(id)).map(look.nameOf));
  const ours = new Map(look.wanted.map((version) => [look.nameOf(version), version.id]));
  return look.served
    .filter(({ parent, engineName }) => parent !== null && !known.has(engineName) && !loading.has(engineName))
    .map(({ engineName }) => ({
      kind: 'unexpected',
      engineName,
      versionId: ours.get(engineName) ?? null,
      reason: 'somebody else loaded it',
    }));
}

function unwanted(look: Look): Drift[] {
  const wanted = new Set(look.wanted.map(({ id }) => id));
  return staying(look)
    .filter(({ versionId }) => !wanted.has(versionId))
    .map(({ engineName, versionId }) => ({
      kind: 'unwanted',
      engineName,
      versionId,
      reason: 'it was unloaded or retired',
    }));
}

function absent(look: Look): Drift[] {
  const held = new Set(look.held.map(({ versionId }) => versionId));
  return look.wanted.flatMap((version): Drift[] => {
    if (held.has(version.id) || look.isLoading(version.id)) return [];
    const common = { engineName: look.nameOf(version), versionId: version.id };
    const reason = look.refusal(version.id);
    if (reason !== undefined) return [{ kind: 'refused', ...common, reason }];
    if (!look.isMissed(version.id)) return [];
    return [{ kind: 'no_slot', ...common, reason: 'other adapters take every slot' }];
  });
}
