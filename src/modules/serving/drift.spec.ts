import { versionOf } from '../../../test/fixtures/registry.js';
import type { Held } from './adapter-slots.js';
import { driftOf, type Look } from './drift.js';

const [one, two] = [versionOf(1), versionOf(2)];
const heldOf = ({ id, modelId }: typeof one, change: Partial<Held> = {}): Held => ({
  versionId: id,
  engineName: modelId,
  effect: 'changes',
  lastUsed: 0,
  answers: new Set(),
  isLeaving: false,
  ...change,
});
const base = { engineName: 'gemma', parent: null, root: '/models/gemma' };
const served = (name: string) => ({ engineName: name, parent: 'gemma', root: '/x' });
const look = (change: Partial<Look>): Look => ({
  served: [base],
  held: [],
  before: change.held ?? [],
  wanted: [],
  nameOf: ({ modelId }) => modelId,
  refusal: () => undefined,
  isLoading: () => false,
  isMissed: () => false,
  ...change,
});
const kinds = (change: Partial<Look>): string[] => driftOf(look(change)).map(({ kind }) => kind);

describe('drift', () => {
  it('is none where the engine lists what it should hold', () => {
    expect(kinds({ served: [base, served(one.modelId)], held: [heldOf(one)], wanted: [one] })).toEqual([]);
  });
  it('is an adapter that the engine lost', () => {
    expect(kinds({ held: [heldOf(one)], wanted: [one] })).toEqual(['missing']);
  });
  it('is none that came or went while the engine was asked', () => {
    expect(kinds({ held: [heldOf(one)], before: [], wanted: [one] })).toEqual([]);
    expect(kinds({ served: [base, served(one.modelId)], held: [], before: [heldOf(one)], wanted: [one] })).toEqual([]);
  });
  it('is an adapter that somebody else loaded, but none that is being loaded', () => {
    const strange = { served: [base, served(two.modelId), served('sql-lora')], wanted: [two] };
    expect(driftOf(look(strange)).map(({ kind, versionId }) => [kind, versionId])).toEqual([
      ['unexpected', two.id],
      ['unexpected', null],
    ]);
    expect(kinds({ ...strange, isLoading: (id) => id === two.id })).toEqual(['unexpected']);
  });
  it('is an adapter that should go, until it is on its way', () => {
    expect(kinds({ served: [base, served(one.modelId)], held: [heldOf(one)] })).toEqual(['unwanted']);
    const leaving = heldOf(one, { isLeaving: true });
    expect(kinds({ served: [base, served(one.modelId)], held: [leaving] })).toEqual([]);
  });
  it('is an adapter that is refused, with the reason, or finds no slot though it is missed', () => {
    const [refused] = driftOf(look({ wanted: [one], refusal: () => 'the folder is gone' }));
    expect(refused).toMatchObject({ kind: 'refused', reason: 'the folder is gone', versionId: one.id });
    expect(kinds({ wanted: [one] })).toEqual([]);
    expect(kinds({ wanted: [one], isMissed: () => true })).toEqual(['no_slot']);
  });
});
