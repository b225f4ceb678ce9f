import { isDeepStrictEqual } from 'node:util';
import type { TrainerType, TrainingMethod } from '../job-state.js';
import { foreignSections, keys, onlyFalse, withoutEffect, type Key, type KeyName, type Values } from './config-keys.js';
import type { Findings } from './findings.js';
import { show } from './key-kinds.js';
import type { ConfigDocument } from './read-config.js';
import { nearest } from './suggest.js';

/** The values of all keys, defaults filled in. */
export interface ReadKeys {
  values: Values;
  /** The path under which the file gives the key; undefined: the default counts. */
  where: (key: KeyName) => string | undefined;
  /** Whether the file has the section, even an empty one. */
  hasSection: (name: string) => boolean;
}

const table: [KeyName, Key<unknown>][] = Object.entries(keys).map(([name, key]) => [name as KeyName, key]);
const spellings: ReadonlySet<string> = new Set(table.flatMap(([name, key]) => [name, ...key.aliases]));
const parentsOf = (path: string): string[] =>
  path.split('.').flatMap((_, index, parts) => (index === 0 ? [] : [parts.slice(0, index).join('.')]));
const sections: ReadonlySet<string> = new Set([...spellings, ...withoutEffect].flatMap(parentsOf));

function refuseUnknown(path: string, findings: Findings): void {
  if (findings.full) return;
  const meant = nearest(path, [...spellings, ...sections]);
  findings.refuse(path, `is not a key of a configuration${meant === undefined ? '' : `; did you mean ${meant}?`}`);
}

/** Collects the written values by path and names what has no place in a configuration. */
function walk(document: ConfigDocument, prefix: string, written: Map<string, unknown>, findings: Findings): void {
  for (const [name, raw] of document) {
    const path = prefix + name;
    if (spellings.has(path)) written.set(path, raw);
    else if (withoutEffect.has(path)) findings.warn(`${path} is taken without effect`);
    else if (path === onlyFalse) readOnlyFalse(path, raw, findings);
    else if (!sections.has(path)) refuseUnknown(path, findings);
    else if (raw instanceof Map) walk(raw as ConfigDocument, `${path}.`, written, findings);
    else if (raw !== null) findings.refuse(path, `${show(raw)} is not a section; write its keys below it, indented`);
  }
}

function readOnlyFalse(path: string, raw: unknown, findings: Findings): void {
  if (raw === false || raw === null) findings.warn(`${path} is taken without effect`);
  else findings.refuse(path, `${show(raw)} is not possible: an adapter in inference mode is not trained`);
}

export interface TrainingKind {
  trainer_type: TrainerType;
  method: TrainingMethod;
}

/** A section that a training of this kind does not look at is said to be without effect, and left out. */
function leaveOutForeign(document: ConfigDocument, kind: TrainingKind, findings: Findings): ConfigDocument {
  const foreign = foreignSections(kind.trainer_type, kind.method).filter(({ section }) => document.has(section));
  for (const { section, as } of foreign) findings.warn(`the section ${section} is without effect, as ${as}`);
  return new Map([...document].filter(([name]) => foreign.every(({ section }) => section !== name)));
}

interface Given {
  path: string;
  value: unknown;
}

function readSpellings([name, key]: [KeyName, Key<unknown>], written: Map<string, unknown>, findings: Findings) {
  const given: Given[] = [];
  for (const path of [name, ...key.aliases]) {
    const raw = written.get(path);
    if (raw === undefined || (raw === null && !key.kind.takesNull)) continue;
    const reading = key.kind.read(raw);
    if ('problem' in reading) findings.refuse(path, reading.problem);
    else given.push({ path, value: reading.value });
  }
  return given;
}

/** Reads every key of the table out of a document, naming all that is wrong with it on the way. */
export function readKeys(document: ConfigDocument, kind: TrainingKind, findings: Findings): ReadKeys {
  const written = new Map<string, unknown>();
  walk(leaveOutForeign(document, kind, findings), '', written, findings);
  const values: Record<string, unknown> = {};
  const places = new Map<KeyName, string>();
  for (const entry of table) {
    const [name, key] = entry;
    const [first, ...others] = readSpellings(entry, written, findings);
    values[name] = first === undefined ? key.whenMissing(kind.trainer_type) : first.value;
    if (first !== undefined) places.set(name, first.path);
    for (const { path, value } of others.filter((other) => !isDeepStrictEqual(other.value, first?.value)))
      findings.refuse(path, `${show(value)} differs from ${first?.path}: ${show(first?.value)}; keep one of the two`);
  }
  // The loop above has read each key of the table by its own kind.
  return { values: values as Values, where: (key) => places.get(key), hasSection: (name) => document.has(name) };
}
