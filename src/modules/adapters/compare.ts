import { isDeepStrictEqual } from 'node:util';
import type { DifferenceDto, MetricDto } from './adapter.dto.js';
import type { VersionRecord } from './adapter-versions.port.js';

type Json = Readonly<Record<string, unknown>>;

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Where two objects differ, by the path of the key; lists are compared whole. Pure. */
export function differences(a: Json, b: Json, prefix = ''): DifferenceDto[] {
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].toSorted();
  return keys.flatMap((key) => {
    const [left, right] = [a[key], b[key]];
    if (isDeepStrictEqual(left, right)) return [];
    if (isJson(left) && isJson(right)) return differences(left, right, `${prefix}${key}.`);
    return [{ key: `${prefix}${key}`, a: left ?? null, b: right ?? null }];
  });
}

/** Side by side, by name. Pure. */
export function metricChanges(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): MetricDto[] {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].toSorted();
  return names.map((name) => {
    const [left = null, right = null] = [a[name], b[name]];
    return { name, a: left, b: right, change: left === null || right === null ? null : right - left };
  });
}

/** Everything of the configuration that is worth comparing. Pure. */
export const configurationOf = (version: VersionRecord): Json => ({
  method: version.method,
  rank: version.rank,
  base: version.base,
  base_hash: version.base_hash,
  job: version.configuration,
  adapter: version.adapter_config,
});
