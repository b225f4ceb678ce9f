import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDocuments } from './corpus.mjs';
import { readQuestions } from './questions.mjs';

const HERE = join(process.cwd(), 'bench', 'search');
const linesOf = (file: string) =>
  readFileSync(join(HERE, file), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const lawOf = ({ relevant }: { relevant: { provision: string; grade: number }[] }) =>
  relevant.find(({ grade }) => grade === 2)?.provision.split(':')[0];

describe('judged questions', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'questions-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  const read = (line: object, known = ['a:1']) => {
    const file = join(folder, 'questions.jsonl');
    writeFileSync(file, `${JSON.stringify(line)}\n`);
    return readQuestions(file, known);
  };
  const question = { id: 'q1', question: 'Was gilt?', kind: 'keyword', relevant: [{ provision: 'a:1', grade: 2 }] };

  it('have grades by answer', () => {
    expect(read(question)[0]?.grades).toEqual(new Map([['a:1', 2]]));
  });

  it.each([
    { wrong: { relevant: [{ provision: 'a:2', grade: 2 }] }, said: 'q1: the corpus has no a:2' },
    { wrong: { relevant: [{ provision: 'a:1', grade: 3 }] }, said: 'q1: grade 3 of a:1' },
    { wrong: { relevant: [{ provision: 'a:1', grade: 1 }] }, said: 'q1: no answer has grade 2' },
    { wrong: { kind: 'riddle' }, said: 'q1: without text, or of an unknown kind' },
  ])('are refused: $said', ({ wrong, said }) => {
    expect(() => read({ ...question, ...wrong })).toThrow(said);
  });

  it('of the laws are many, of all kinds and over all 24 laws', () => {
    const all = linesOf('questions-gesetze.jsonl');
    const of = (kind: string) => all.filter((one) => one.kind === kind).length;
    const laws = all.map(lawOf);
    expect(new Set(all.map((one) => one.question)).size).toBe(all.length);
    expect(of('paraphrase')).toBeGreaterThanOrEqual(90);
    expect(of('compound')).toBeGreaterThanOrEqual(25);
    expect(of('keyword')).toBeGreaterThanOrEqual(25);
    expect(of('exact')).toBeGreaterThanOrEqual(20);
    expect(of('typo')).toBeGreaterThanOrEqual(10);
    expect(new Set(laws).size).toBe(24);
    expect(laws.every((law) => laws.filter((one) => one === law).length >= 4)).toBe(true);
  });

  it('of the documents name documents that are there, each at least once', () => {
    const documents = readDocuments(join(HERE, 'documents')).map(({ id }) => id);
    const questions = readQuestions(join(HERE, 'questions-merkblaetter.jsonl'), documents);
    const asked = new Set(questions.flatMap(({ grades }) => [...grades.keys()]));
    expect(questions.length).toBeGreaterThanOrEqual(60);
    expect(documents.filter((name) => !asked.has(name))).toEqual([]);
  });
});
