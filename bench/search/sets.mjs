import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/root.mjs';
import { readDocuments, readLaws } from './corpus.mjs';
import { readQuestions } from './questions.mjs';

const HERE = join(root, 'bench', 'search');
const LAWS = [join(root, 'shared', 'data', 'gesetze'), join(root, '..', 'shared', 'data', 'gesetze')];

/**
 * @typedef {{name: string, folder: string, passages: import('./corpus.mjs').Passage[], questions: import('./judge.mjs').Question[]}} JudgedSet
 */

/**
 * The judged sets: the documents that come with the product, and the laws where their folder is there.
 * @param {string} [laws] folder of the law files
 * @returns {JudgedSet[]}
 */
export function judgedSets(laws = LAWS.find((folder) => existsSync(folder))) {
  const documents = {
    name: 'Merkblätter',
    file: 'questions-merkblaetter.jsonl',
    folder: join(HERE, 'documents'),
    passages: readDocuments(join(HERE, 'documents')),
  };
  const sets = laws
    ? [{ name: 'laws', file: 'questions-gesetze.jsonl', folder: laws, passages: readLaws(laws) }, documents]
    : [documents];
  return sets.map(({ name, file, folder, passages }) => ({
    name,
    folder,
    passages,
    questions: readQuestions(
      join(HERE, file),
      passages.map(({ id }) => id),
    ),
  }));
}
