import { provisionsOf } from './corpus.mjs';

const law = `---
Title: Beispielgesetz
jurabk: BspG 1977
---

# Beispielgesetz (BspG 1977)

Ausfertigungsdatum
:   1977-01-01

## Erster Teil - Allgemeines

### § 1 Zweck

(1) Dieses Gesetz dient als Beispiel.
1\\. Mai

### § 1a

Ohne Überschrift.[^f1]

### (XXXX) §§ 2 bis 4 (weggefallen)

## Zweiter Teil - Besonderes

### I. - Verfahren

#### § 5 Antrag

Ein Antrag genügt.

### § 6

(weggefallen)

### § 7

(Inkrafttreten)

### Anlage 1 (zu § 5)

## § 1

Muster.
`;

describe('provisions of a law', () => {
  const provisions = provisionsOf(law);

  it('have the abbreviation without the year and the number as their id', () => {
    expect(provisions.map(({ id }) => id)).toEqual(['bspg:1', 'bspg:1a', 'bspg:5']);
  });

  it('know the headings above them', () => {
    expect(provisions[2]?.path).toEqual([
      'Beispielgesetz (BspG 1977)',
      'Zweiter Teil - Besonderes',
      'I. - Verfahren',
      '§ 5 Antrag',
    ]);
  });

  it('hold their text without marks of Markdown and footnotes', () => {
    expect(provisions[0]?.text).toBe('(1) Dieses Gesetz dient als Beispiel.\n1. Mai');
    expect(provisions[1]?.text).toBe('Ohne Überschrift.');
  });

  it('may be articles', () => {
    const articles = provisionsOf('---\njurabk: GG\n---\n# Grundgesetz\n### Art 20a\nDer Staat schützt die Tiere.\n');
    expect(articles[0]).toMatchObject({ id: 'gg:20a', law: 'GG' });
  });

  it('are refused without an abbreviation', () => {
    expect(() => provisionsOf('# Gesetz\n')).toThrow('jurabk');
  });
});
