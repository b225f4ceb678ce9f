import { textOfRow, type ChatMessage, type RowOrigin, type TrainingRow } from '../training-row.js';
import { checkBoilerplate } from './boilerplate.js';
import { checkExactDuplicate, checkNearDuplicate, checkRegistered } from './duplicates.js';
import { checkAnswer } from './empty-answer.js';
import { checkEncoding } from './encoding.js';
import { share, type CheckName, type Finding } from './finding.js';
import { checkLanguage, type LanguageFound } from './language.js';
import { checkLeakage, type Leak } from './leakage.js';
import { checkLength, type LengthLimits } from './length.js';
import type { Neighbour } from './near-duplicates.js';
import { checkPersonalData } from './personal-finding.js';
import { checkRelevance } from './relevance.js';
import { checkToxicity } from './toxicity.js';

/** What the checks of a row need to know besides the row. */
export interface ChecksContext {
  language: LanguageFound;
  /** Codes of languages that are welcome; none: all are. */
  expectedLanguages: readonly string[];
  /** Of the question or the domain, for rows that no search found. */
  terms: readonly string[];
  relevance: RowOrigin['relevance'];
  /** The id of the row with the same content hash; null where there is none. */
  exactDuplicateOf: string | null;
  nearest: Neighbour | null;
  leak: Leak | null;
  limits?: LengthLimits;
}

export interface ChecksOutcome {
  /** 0 bad to 1 good. */
  score: number;
  /** One for each check, those that object first. */
  findings: Finding[];
  /** No check rejects the row. */
  keep: boolean;
}

/**
 * What each check counts in the weighted mean; the sum is 1. Content (length, answer, relevance) and readability
 * (encoding, language, boilerplate) are 0.6 of it, repetition 0.2, harm 0.2.
 */
export const weights: Readonly<Record<CheckName, number>> = {
  length: 0.15,
  encoding: 0.12,
  language: 0.1,
  exact_duplicate: 0.08,
  near_duplicate: 0.04,
  registered_duplicate: 0.03,
  toxicity: 0.1,
  personal_data: 0.1,
  boilerplate: 0.08,
  empty_answer: 0.08,
  leakage: 0.05,
  relevance: 0.07,
};

/** What is left of the mean where a check rejects the row. */
const REJECTED = 0.4;
const ORDER = { reject: 0, warn: 1, ok: 2 } as const;

/**
 * All checks of one row. The score is the weighted mean of theirs, times 0.4 where one rejects the row: a single fatal
 * fault, such as broken encoding, is not made good by ten checks that find nothing.
 */
export function assessRow(row: TrainingRow, context: ChecksContext): ChecksOutcome {
  const text = textOfRow(row);
  const findings: Finding[] = [
    checkLength(text, context.limits),
    checkEncoding(text),
    checkLanguage(context.language, context.expectedLanguages),
    checkExactDuplicate(context.exactDuplicateOf),
    checkNearDuplicate(context.nearest),
    checkRegistered(null),
    checkToxicity(exampleOf(row)),
    checkPersonalData(text),
    checkBoilerplate(text),
    ...answersOf(row).map(({ question, answer }) => checkAnswer(question, answer)),
    checkLeakage(context.leak),
    checkRelevance(text, { hit: context.relevance, terms: context.terms }),
  ];
  return summary(findings);
}

/** The outcome with what a check says once all rows are known, in the place of what it said before. */
export const withFindings = ({ findings }: Pick<ChecksOutcome, 'findings'>, later: readonly Finding[]): ChecksOutcome =>
  summary([...findings.filter(({ check }) => !later.some((finding) => finding.check === check)), ...later]);

function summary(findings: Finding[]): ChecksOutcome {
  const whole = findings.reduce((sum, { check }) => sum + weights[check], 0);
  const mean = findings.reduce((sum, { check, score }) => sum + weights[check] * score, 0) / whole;
  const keep = findings.every(({ verdict }) => verdict !== 'reject');
  return {
    score: share(keep ? mean : mean * REJECTED),
    findings: findings.toSorted((a, b) => ORDER[a.verdict] - ORDER[b.verdict]),
    keep,
  };
}

interface Answer {
  question: string | null;
  answer: string;
}

/** The last answer of a row, and the question before it. A plain text has none; one that is a bad example may be empty. */
function answersOf(row: TrainingRow): Answer[] {
  switch (row.kind) {
    case 'messages':
      return [answerOf(row.messages, row.messages)];
    case 'preference':
      return [answerOf(row.prompt, row.chosen)];
    case 'kto':
      return row.desirable ? [answerOf(row.prompt, row.completion)] : [];
    case 'text':
      return [];
  }
}

const answerOf = (prompt: ChatMessage[], completion: ChatMessage[]): Answer => ({
  question: lastOf(prompt, 'user'),
  answer: lastOf(completion, 'assistant') ?? '',
});

const lastOf = (messages: ChatMessage[], role: ChatMessage['role']): string | null =>
  messages.findLast((message) => message.role === role)?.content ?? null;

/** Without what the row shows as a bad example: that may be toxic. */
function exampleOf(row: TrainingRow): string {
  if (row.kind === 'preference') return textOfRow({ kind: 'messages', messages: [...row.prompt, ...row.chosen] });
  if (row.kind === 'kto' && !row.desirable) return textOfRow({ kind: 'messages', messages: row.prompt });
  return textOfRow(row);
}
