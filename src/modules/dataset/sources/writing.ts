import type { BuildProgress, WritingOptions } from '../dataset-record.js';
import type { PassageWriting } from '../questions/passage-writing.js';

/** A model that writes the rows, and how. */
export interface Writing {
  passages: PassageWriting;
  options: WritingOptions;
  /** Passages at the same time. */
  atOnce: number;
  /** Share of an answer's words that its passage must have. */
  grounding: number;
  progress: BuildProgress;
}
