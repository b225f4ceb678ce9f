import type { ChatMessage } from '../training-row.js';

/** What a model answered to a conversation. */
export interface WriterAnswer {
  text: string;
  /** It had more to say than it may. */
  isCut: boolean;
  /** The model as its server names it, which may be more exact than what was asked for. */
  model: string;
}

/** A model that writes questions and answers about passages; the same conversation gets the same answer, as far as it can. */
export abstract class QuestionWriter {
  /** What the model is called at its server; null: none is configured. */
  abstract readonly model: string | null;

  /** @throws WriterUnavailable, WritingRefused */
  abstract answer(conversation: readonly ChatMessage[], signal: AbortSignal): Promise<WriterAnswer>;
}

/** No passage can be asked about, or not now. */
export class WriterUnavailable extends Error {}

/** The model does not want this conversation; another one may do. */
export class WritingRefused extends Error {}
