import { KeywordLeg } from '../../src/modules/search/keyword-leg.js';
import { questionOf } from '../../src/modules/search/question.js';
import { DocumentStores, newDocument } from '../fixtures/document-stores.js';
import { TestDatabases } from '../fixtures/test-database.js';

import.meta.jest.setTimeout(180_000);

const LIMIT = 50;
const everything = { readers: null, documentIds: null, chunks: null };

describe('keyword search in PostgreSQL', () => {
  let databases: TestDatabases;
  let leg: KeywordLeg;
  const ids: Record<string, string> = {};

  beforeAll(async () => {
    databases = await TestDatabases.open();
    const source = await databases.source();
    const { publication } = new DocumentStores(source);
    const publish = async (name: string, readers: string[], texts: string[]): Promise<void> => {
      ids[name] = (await publication.publish(newDocument(name, texts, readers))).documentId;
    };
    // More than are looked at before the filter, and all of them better.
    await publish(
      'geheim',
      ['role:head'],
      Array.from({ length: 1700 }, () => 'Widerspruch gegen den Bescheid'),
    );
    await publish(
      'offen',
      ['*'],
      [
        'Wer mit dem Bescheid nicht einverstanden ist, kann innerhalb eines Monats Widerspruch bei der Behörde einlegen',
        'Der Personalausweis ist verloren gegangen',
        'Für Feste im Freien gilt eine Anzeigepflicht',
      ],
    );
    await publish('anderes', ['*'], ['Hunde sind anzumelden', 'Gegen diese Auflage ist der Widerspruch zulässig']);
    leg = new KeywordLeg(source);
  });
  afterAll(() => databases.close());

  const documentsFor = async (text: string, scope: Parameters<KeywordLeg['find']>[1]): Promise<string[]> => {
    const found = await leg.find(questionOf(text), scope, LIMIT);
    return found.map(({ documentId }) => Object.keys(ids).find((name) => ids[name] === documentId) ?? '');
  };

  it('finds what a reader may read, though all that is better is for others', async () => {
    expect(new Set(await documentsFor('Widerspruch', everything))).toEqual(new Set(['geheim']));
    expect((await documentsFor('Widerspruch', { ...everything, readers: ['*'] })).toSorted()).toEqual([
      'anderes',
      'offen',
    ]);
  });

  it.each([
    { name: 'few', chunks: 5 },
    { name: 'some', chunks: 5001 },
  ])('keeps to the documents of a filter that leaves $name chunks', async ({ chunks }) => {
    const documentIds = [ids['anderes'] ?? '', ids['offen'] ?? ''];
    const found = await documentsFor('Widerspruch gegen die Hunde', { readers: ['*'], documentIds, chunks });
    expect(found.toSorted()).toEqual(['anderes', 'anderes', 'offen']);
    expect(await documentsFor('Widerspruch', { readers: ['*'], documentIds: [], chunks: 0 })).toEqual([]);
  });

  it('finds the same with and without a bound on the postings, where they are few', async () => {
    const question = questionOf('Wann gilt die Anzeigepflicht für Hunde?');
    const bounded = await leg.find(question, everything, LIMIT);
    expect(bounded.length).toBeGreaterThan(1);
    expect(await leg.find(question, everything, LIMIT, Infinity)).toEqual(bounded);
  });

  it.each([
    ['Wiederspruch Frist', 'Wiederspruch'],
    ['Personalauswies verloren', 'Personalauswies'],
    ['Anzeigeplicht', 'Anzeigeplicht'],
  ])('finds %s in spite of its error of typing', async (text, word) => {
    const [first] = await leg.find(questionOf(text), { ...everything, readers: ['*'] }, LIMIT);
    expect(first?.matched).toContain(word);
  });
});
