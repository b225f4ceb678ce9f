import type { ChatMessage, TrainingRow } from '../training-row.js';
import { assessRow, weights, type ChecksContext } from './assess-row.js';
import { checkNames } from './finding.js';

const context: ChecksContext = {
  language: { code: 'de', confidence: 0.9 },
  expectedLanguages: ['de'],
  terms: ['Verwaltungsakt'],
  relevance: null,
  exactDuplicateOf: null,
  nearest: null,
  leak: null,
};

const ANSWER =
  'Ein rechtswidriger Verwaltungsakt kann nach § 48 VwVfG ganz oder teilweise mit Wirkung für die Zukunft oder die Vergangenheit zurückgenommen werden.';

const row = (answer: string): TrainingRow => ({
  kind: 'messages',
  messages: [
    { role: 'user', content: 'Wann darf eine Behörde zurücknehmen?' },
    { role: 'assistant', content: answer },
  ],
});

const rejecting = (quality: ReturnType<typeof assessRow>): string[] =>
  quality.findings.filter(({ verdict }) => verdict === 'reject').map(({ check }) => check);

describe('the quality of a row', () => {
  it('is 1 where no check objects, with one finding for each', () => {
    const { score, findings, keep } = assessRow(row(ANSWER), context);
    expect({ score, keep }).toEqual({ score: 1, keep: true });
    expect(findings.map(({ check }) => check).toSorted()).toEqual([...checkNames].toSorted());
    expect(findings.every(({ reason }) => reason.length > 0)).toBe(true);
  });

  it('is made of weights that sum to 1', () => {
    expect(Object.values(weights).reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 10);
  });

  it.each([
    ['empty_answer', row('k. A.'), {}],
    ['length', { kind: 'text', text: '...' }, {}],
    ['encoding', row(Buffer.from(ANSWER.repeat(2), 'utf8').toString('latin1').replaceAll('rechts', 'Ã¤')), {}],
    ['language', row(ANSWER), { language: { code: 'en', confidence: 0.9 } }],
    ['exact_duplicate', row(ANSWER), { exactDuplicateOf: '1' }],
    ['near_duplicate', row(ANSWER), { nearest: { id: '1', jaccard: 0.96 } }],
    ['toxicity', row(`${ANSWER} Du Kümmeltürke.`), {}],
    ['personal_data', row(`${ANSWER} IBAN DE89370400440532013000`), {}],
    ['leakage', row(ANSWER), { leak: { id: '1', split: 'test', how: 'same_text', of: '2', jaccard: 1 } }],
    ['relevance', row(ANSWER), { relevance: 0.01 }],
    ['boilerplate', { kind: 'text', text: 'Startseite Kontakt Impressum Datenschutz Hilfe Suche Sitemap' }, {}],
  ] as [string, TrainingRow, Partial<ChecksContext>][])('falls by %s, which rejects the row', (check, bad, changes) => {
    const quality = assessRow(bad, { ...context, ...changes });
    expect(rejecting(quality)).toContain(check);
    expect(quality.keep).toBe(false);
    expect(quality.score).toBeLessThanOrEqual(0.4);
    expect(quality.findings[0]?.verdict).toBe('reject');
  });

  it('falls a little by a warning, and keeps the row', () => {
    const { score, keep } = assessRow(row(`${ANSWER} Fragen an kaya@example.org`), context);
    expect(keep).toBe(true);
    expect(score).toBeCloseTo(0.95, 2);
  });

  it('does not hold a bad example against a row', () => {
    const prompt = [{ role: 'user' as const, content: 'Wann darf eine Behörde zurücknehmen?' }];
    const bad = [{ role: 'assistant' as const, content: 'Halt die Fresse, du Arschloch' }];
    const good = [{ role: 'assistant' as const, content: ANSWER }];
    expect(assessRow({ kind: 'preference', prompt, chosen: good, rejected: bad }, context).keep).toBe(true);
    expect(assessRow({ kind: 'preference', prompt, chosen: bad, rejected: good }, context).keep).toBe(false);
    const kto = (desirable: boolean): TrainingRow => ({ kind: 'kto', prompt, completion: bad, desirable });
    expect(rejecting(assessRow(kto(true), context))).toContain('toxicity');
    expect(rejecting(assessRow(kto(false), context))).toEqual([]);
  });

  it('looks at the last answer of a conversation', () => {
    const messages: ChatMessage[] = [
      { role: 'user', content: 'Wann darf eine Behörde zurücknehmen?' },
      { role: 'assistant', content: ANSWER },
      { role: 'user', content: 'Und dann?' },
      { role: 'assistant', content: 'N/A' },
    ];
    const turns: TrainingRow = { kind: 'messages', messages };
    expect(rejecting(assessRow(turns, context))).toEqual(['empty_answer']);
  });

  it('looks at an answer that is missing', () => {
    const asked: TrainingRow = { kind: 'messages', messages: [{ role: 'user', content: ANSWER }] };
    expect(rejecting(assessRow(asked, context))).toEqual(['empty_answer']);
  });
});
