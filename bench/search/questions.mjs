import { readFileSync } from 'node:fs';

const KINDS = ['paraphrase', 'keyword', 'compound', 'exact', 'typo', 'clerk'];

/**
 * Judged questions of a JSONL file. Throws where a judged answer is not in the corpus or a line is not in order.
 * @param {string} file
 * @param {Iterable<string>} known ids of the corpus
 * @returns {import('./judge.mjs').Question[]}
 */
export function readQuestions(file, known) {
  const ids = new Set(known);
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => {
    const { id, question, kind, relevant } = JSON.parse(line);
    if (!question || !KINDS.includes(kind)) throw new Error(`${file}, ${id}: without text, or of an unknown kind`);
    const grades = new Map(relevant.map(({ provision, document, grade }) => [provision ?? document, grade]));
    for (const [answer, grade] of grades) {
      if (!ids.has(answer)) throw new Error(`${file}, ${id}: the corpus has no ${answer}`);
      if (grade !== 1 && grade !== 2) throw new Error(`${file}, ${id}: grade ${grade} of ${answer} is neither 1 nor 2`);
    }
    if (![...grades.values()].includes(2)) throw new Error(`${file}, ${id}: no answer has grade 2`);
    return { id, kind, question, grades };
  });
}
