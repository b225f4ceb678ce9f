import { inOrder } from '../../../kernel/in-order.js';
import { groundingOf } from '../questions/grounding.js';
import type { Written } from '../questions/kept-answers.js';
import type { Passage } from '../questions/passage.js';
import { bodyOf, questionRow } from '../questions/question-rows.js';
import { WriterUnavailable, WritingRefused } from '../questions/question-writer.port.js';
import { passageMessage, placeOf, type WrittenPair } from '../questions/written-pairs.js';
import { BuildFailure, type Candidate, type SourceTools } from './candidate.js';
import { originOf, splitPlaceOf } from './passage-candidates.js';
import type { Writing } from './writing.js';

type From = 'search' | 'document';
type Tools = Pick<SourceTools, 'notes' | 'signal'>;
type Outcome = Written | { refusal: string };

const LONGEST_PASSAGE = 24_000;
/** After so many refusals and nothing else the model is not asked about the rest. */
const REFUSALS = 5;

interface Asked {
  passage: Passage;
  text: string;
  outcome: Outcome;
}

/** Rows that a model writes of the passages, in their order. @throws BuildFailure where the model cannot be asked */
export class WrittenCandidates {
  #answered = 0;
  #refused = 0;

  constructor(
    private readonly writing: Writing,
    private readonly tools: Tools,
  ) {}

  async *of(passages: AsyncIterable<Passage>, from: From): AsyncGenerator<Candidate> {
    const end = new AbortController();
    const signal = AbortSignal.any([this.tools.signal, end.signal]);
    const { atOnce } = this.writing;
    try {
      for await (const asked of inOrder(this.#worthwhile(passages), atOnce, (each) => this.#ask(...each, signal)))
        yield* this.#candidates(asked, from);
    } catch (error) {
      throw error instanceof WriterUnavailable ? keptFailure(error) : error;
    } finally {
      end.abort();
    }
  }

  /** Passages that say something; nothing is paid for the others. */
  async *#worthwhile(passages: AsyncIterable<Passage>): AsyncGenerator<[Passage, string]> {
    for await (const passage of passages) {
      const text = bodyOf(passage);
      if (text === undefined) continue;
      if (text.length > LONGEST_PASSAGE) this.tools.notes.leaveOut('writer: the passage is too long');
      else yield [passage, text];
    }
  }

  async #ask(passage: Passage, text: string, signal: AbortSignal): Promise<Asked> {
    const { passages, progress } = this.writing;
    const count = (progress.passages ??= { asked: 0, answered: 0, reused: 0 });
    count.asked += 1;
    try {
      const { written, isReused } = await passages.write(passageMessage(passage, text), signal);
      count.answered += 1;
      if (isReused) count.reused += 1;
      return { passage, text, outcome: written };
    } catch (error) {
      if (error instanceof WritingRefused) return { passage, text, outcome: { refusal: error.message } };
      throw error;
    }
  }

  #candidates({ passage, text, outcome }: Asked, from: From): Candidate[] {
    const { notes } = this.tools;
    if ('refusal' in outcome) return this.#refusal(outcome.refusal);
    this.#answered += 1;
    if ('problem' in outcome) return notes.leaveOut('writer: no readable answer');
    if (outcome.pairs.length === 0) return notes.leaveOut('writer: nothing to ask');
    return outcome.pairs.flatMap((pair) => this.#candidate({ passage, text }, pair, { from, model: outcome.model }));
  }

  #refusal(reason: string): [] {
    this.#refused += 1;
    if (this.#refused === 1) this.tools.notes.warnings.push(`the model refused a passage: ${reason}`);
    if (this.#answered === 0 && this.#refused >= REFUSALS)
      throw new BuildFailure(`the model refused each of the first ${REFUSALS} passages: ${reason}`);
    return this.tools.notes.leaveOut('writer: refused by the model');
  }

  #candidate(
    { passage, text }: Omit<Asked, 'outcome'>,
    { question, answer }: WrittenPair,
    { from, model: served }: { from: From; model: string },
  ): Candidate[] {
    const { grounding: least, options } = this.writing;
    const { share, invented } = groundingOf(answer, `${placeOf(passage)}\n${text}`, passage.provision);
    if (least > 0 && (share < least || invented.length > 0))
      return this.tools.notes.leaveOut('writer: the answer is not in the passage');
    const { model, promptHash } = options;
    const madeBy = {
      from,
      model,
      ...(served === model ? {} : { served_model: served }),
      prompt_sha256: promptHash,
      temperature: '0',
      grounding: share.toFixed(2),
    };
    const origin = { ...originOf(passage, 'synthetic'), madeBy };
    return [{ row: questionRow(question, answer), origin, ...splitPlaceOf(passage) }];
  }
}

const keptFailure = ({ message }: WriterUnavailable): BuildFailure =>
  new BuildFailure(
    `${message}. The answers so far are kept: add a version once it is mended, and it goes on from there`,
  );
