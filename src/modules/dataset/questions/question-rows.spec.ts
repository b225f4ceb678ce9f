import type { StoredDocument } from '../../documents/replica.port.js';
import { joined, provisionPassages, type Passage } from './passage.js';
import { lawName, provisionOf, questionRows } from './question-rows.js';

const text = 'Verwaltungsakt ist jede Verfügung, Entscheidung oder andere hoheitliche Maßnahme einer Behörde.';
const passage: Passage = {
  documentId: 'd',
  documentVersion: 1,
  chunkId: 'c',
  title: 'Verwaltungsverfahrensgesetz (VwVfG)',
  filename: 'vwvfg.md',
  path: ['Teil III', '§ 35 Begriff des Verwaltungsaktes'],
  page: null,
  provision: 'vwvfg:35',
  language: 'de',
  content: `§ 35 Begriff des Verwaltungsaktes\n${text}`,
  relevance: null,
  metadata: {},
};

const asked = (of: Partial<Passage>): string[][] =>
  questionRows({ ...passage, ...of }).map(({ row }) =>
    row.kind === 'messages' ? row.messages.map(({ content }) => content) : [],
  );

describe('questions about a provision', () => {
  it('ask for it by number and by heading', () =>
    expect(asked({})).toEqual([
      ['Was regelt § 35 VwVfG?', `§ 35 VwVfG (Begriff des Verwaltungsaktes) regelt:\n${text}`],
      ['Wie lautet § 35 VwVfG?', text],
      ['In welcher Vorschrift des VwVfG geht es um „Begriff des Verwaltungsaktes“?', 'Das regelt § 35 VwVfG.'],
      ['Was sagt das VwVfG zu „Begriff des Verwaltungsaktes“?', `Nach § 35 VwVfG gilt:\n${text}`],
    ]));

  it('have a template each', () => {
    const names = questionRows(passage).map(({ template }) => template);
    expect(new Set(names).size).toBe(names.length);
  });

  it('know articles, numbers with letters and provisions without a heading', () => {
    const article = { title: 'Grundgesetz (GG)', provision: 'gg:20', path: ['Artikel 20'] };
    expect(provisionOf({ ...passage, ...article })).toEqual({ label: 'Art. 20 GG', law: 'GG', heading: '' });
    expect(asked(article)).toHaveLength(2);
    expect(provisionOf({ ...passage, provision: 'vwvfg:3a', path: ['§ 3a Elektronische Kommunikation'] })?.label).toBe(
      '§ 3a VwVfG',
    );
    expect(provisionOf({ ...passage, path: [] })?.label).toBe('§ 35 VwVfG');
  });

  it('are not asked where the provision is gone or says nothing', () => {
    expect(asked({ content: '§ 35 Begriff des Verwaltungsaktes\n(weggefallen)' })).toEqual([]);
    expect(asked({ content: '(weggefallen)                                           ' })).toEqual([]);
    expect(asked({ content: 'x'.repeat(9000) })).toEqual([]);
  });
});

describe('questions about a section', () => {
  it('name the document and the heading', () => {
    const section = { provision: null, title: 'Dienstanweisung', path: ['Dienstanweisung', 'Urlaub'], content: text };
    expect(asked(section).map(([question]) => question)).toEqual([
      'Was steht in „Dienstanweisung“ im Abschnitt „Urlaub“?',
      'Was sagt „Dienstanweisung“ zu „Urlaub“?',
    ]);
    expect(asked({ ...section, path: [] }).map(([question]) => question)).toEqual(['Was steht in „Dienstanweisung“?']);
  });
});

describe('headings that ask', () => {
  const section = { provision: null, title: 'Merkblatt Hundesteuer', content: text };
  const questions = (heading: string) =>
    asked({ ...section, path: ['Merkblatt Hundesteuer', heading] }).map(([question]) => question);

  it('are the questions themselves', () =>
    expect(questions('Wer muss einen Hund anmelden?')).toEqual([
      'Wer muss einen Hund anmelden?',
      'Merkblatt Hundesteuer: Wer muss einen Hund anmelden?',
    ]));

  it('are asked with the title only where they are too short to stand alone', () =>
    expect(questions('Was kostet es?')).toEqual(['Merkblatt Hundesteuer: Was kostet es?']));
});

describe('the passages of a document', () => {
  it('join the chunks of a provision without their overlap', () => {
    const chunk = { page: null, references: [], path: [] };
    const document = {
      documentId: 'd',
      version: 1,
      owner: 'o',
      readers: ['*'],
      filename: 'f',
      title: 't',
      kind: 'md',
      language: 'de',
      sha256: '',
      tags: [],
      terms: [],
      metadata: {},
      createdAt: '',
      chunks: [
        { ...chunk, chunkId: '1', ordinal: 0, content: 'Erster Satz. Ein Satz in beiden.', provision: 'x:1' },
        { ...chunk, chunkId: '2', ordinal: 1, content: 'Ein Satz in beiden. Zweiter.', provision: 'x:1' },
        { ...chunk, chunkId: '3', ordinal: 2, content: 'Anderes', provision: 'x:2' },
        { ...chunk, chunkId: '4', ordinal: 3, content: 'Ohne', provision: null },
        { ...chunk, chunkId: '5', ordinal: 4, content: 'Auch ohne', provision: null },
      ],
    } as StoredDocument;
    expect(provisionPassages(document).map(({ content, chunkId }) => [chunkId, content])).toEqual([
      ['1', 'Erster Satz. Ein Satz in beiden.\nEin Satz in beiden. Zweiter.'],
      ['3', 'Anderes'],
      ['4', 'Ohne'],
      ['5', 'Auch ohne'],
    ]);
  });

  it('take what stands in both chunks once', () =>
    expect(joined('Eins. Dieser Satz steht in beiden.', 'Dieser Satz steht in beiden. Zwei.')).toBe(
      'Eins. Dieser Satz steht in beiden. Zwei.',
    ));

  it('name the law as the document does', () => {
    expect(lawName('vwvfg', passage)).toBe('VwVfG');
    expect(lawName('bauo', { title: 'x', filename: 'y', metadata: { law: 'BauO' } })).toBe('BauO');
    expect(lawName('abc', { title: 'x', filename: 'abc.md', metadata: {} })).toBe('ABC');
  });
});
