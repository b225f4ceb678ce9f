import { Injectable } from '@nestjs/common';
import { messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import { isDatabaseAway } from '../../kernel/transaction.js';
import { EmbedderUnavailable } from '../documents/embedder.port.js';
import { StoreUnavailable } from '../documents/replica.port.js';
import type { SearchOutcome, SearchRequest, Signal } from './document-search.port.js';
import type { Legs } from './fusion.js';
import { type Found, KeywordLeg } from './keyword-leg.js';
import type { Question } from './question.js';
import { RelationalLeg } from './relational-leg.js';
import type { Scope } from './search-scope.js';
import { VectorLeg } from './vector-leg.js';

/** Chunks that each leg brings, at least and at most. */
const DEPTH = 100;
const DEEPEST = 1000;
const LEG_MS = 8000;

export type States = SearchOutcome['signals'];

/** Asks the legs whose scores are mixed, all at once; one that is down is named, and the others answer. */
@Injectable()
export class SearchLegs {
  constructor(
    private readonly keyword: KeywordLeg,
    private readonly vector: VectorLeg,
    private readonly relational: RelationalLeg,
    private readonly log: Log,
  ) {}

  /** @param states is told how each leg fared */
  async find(
    { signals, topK }: Pick<SearchRequest, 'signals' | 'topK'>,
    question: Question,
    scope: Scope,
    states: States,
  ): Promise<Legs> {
    const depth = Math.min(DEEPEST, Math.max(DEPTH, topK));
    const signal = AbortSignal.timeout(LEG_MS);
    const finders = {
      keyword: () => this.keyword.find(question, scope, depth),
      vector: () => this.vector.find(question, scope, depth, signal),
      relational: () => this.relational.find(question, scope, depth),
    };
    const legs: Legs = {};
    await Promise.all(
      (Object.keys(finders) as (keyof typeof finders)[])
        .filter((leg) => signals.includes(leg))
        .map(async (leg) => {
          legs[leg] = await this.attempt<Found[]>(leg, states, [], finders[leg]);
        }),
    );
    return legs;
  }

  /** Chunks to look around in the graph from, where no other leg was asked. */
  seeds(question: Question, scope: Scope, count: number): Promise<Found[]> {
    return this.keyword.find(question, scope, count);
  }

  /** What `find` answers, or `otherwise` where the leg is down. @throws where the database itself is away */
  async attempt<T>(signal: Signal, states: States, otherwise: T, find: () => Promise<T>): Promise<T> {
    try {
      const found = await find();
      states[signal] = { state: 'ok' };
      return found;
    } catch (error) {
      if (isDatabaseAway(error)) throw error;
      const isKnown = error instanceof EmbedderUnavailable || error instanceof StoreUnavailable;
      if (!isKnown) this.log.error('a leg of the search failed', { signal, error: messageOf(error) });
      states[signal] = { state: 'unavailable', reason: isKnown ? error.message : reasonOf(error) };
      return otherwise;
    }
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof Error && error.name === 'TimeoutError'
    ? `it did not answer within ${LEG_MS / 1000} s`
    : 'it failed; the log has the details';
