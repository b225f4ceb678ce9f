import { shown } from '../../../test/fixtures/parsing.js';
import { htmlBlocks } from './html-blocks.js';
import { cleanBlocks } from './clean-block.js';

const lines = (html: string): string[] => shown(htmlBlocks(html).blocks);

describe('HTML', () => {
  it('keeps the main part of a page that marks one', () => {
    const page = `<body><div>Werbung</div><main><p>${'Inhalt '.repeat(40)}</p></main><div>Mehr Werbung</div></body>`;
    expect(lines(page)).toEqual([`p ${'Inhalt '.repeat(40).trim()}`]);
  });

  it('takes all of a page whose main part is nearly empty', () => {
    expect(lines(`<body><article>x</article><p>${'Text '.repeat(60)}</p></body>`)).toHaveLength(2);
  });

  it.each([
    ['<p>eins<p>zwei', ['p eins', 'p zwei']],
    ['a<br>b', ['p a\nb']],
    ['<pre>x\n  y</pre>', ['code x\n  y']],
    ['<blockquote><p>Zitat</p></blockquote>', ['> Zitat']],
    ['<ol start=3><li>c<ul><li>innen</ul><li>d</ol>', ['- 3. c', '- innen', '- 4. d']],
    ['<dl><dt>Wort<dd>Bedeutung</dl>', ['p Wort: Bedeutung']],
    ['<div hidden>x</div><div style="display: none">y</div><p aria-hidden="true">z</p>ok', ['p ok']],
    ['<script>if (a < b) "</p>"</script><style>p{}</style><noscript>n</noscript>ok', ['p ok']],
    ['<div class="cookie-banner">Cookies?</div>ok', ['p ok']],
    ['&auml;&#228;&#xE4; &lt;b&gt;', ['p äää <b>']],
    ['<table><tr><td>nur</td></tr></table>', ['p nur']],
    [
      '<table><tr><th>Name</th><td>Müller</td></tr><tr><th>Ort</th><td>Köln</td></tr></table>',
      ['row Name: Müller', 'row Ort: Köln'],
    ],
    ['<table><thead><tr><th>A<th>B</thead><tr><td>1<td><table><tr><td>innen</table></table>', ['row A: 1; B: innen']],
    ['<header><h1>Titel</h1>Menü</header><p>Text</p><footer>Impressum</footer>', ['h1 Titel', 'p Text']],
    ['<h2>Ein <em>langer</em>\n Titel</h2>', ['h2 Ein langer Titel']],
  ])('%s', (html, expected) => expect(lines(html)).toEqual(expected));
});

describe('cleaning', () => {
  it('leaves no control characters, halves of pairs, soft hyphens or split umlauts', () => {
    expect(cleanBlocks({ kind: 'paragraph', text: ' a\u0000b\u00ADc\uD800d u\u0308  e \n\n f ' })).toEqual([
      { kind: 'paragraph', text: 'abc\uFFFDd ü e\nf' },
    ]);
    expect(cleanBlocks({ kind: 'heading', level: 1, text: '\u200B' })).toEqual([]);
  });

  it('hands a very long text on in parts, with all of its words', () => {
    const text = Array.from({ length: 20_000 }, (_, at) => `wort${at}`).join(' ');
    const parts = cleanBlocks({ kind: 'paragraph', text, page: 3 });
    expect(parts.length).toBeGreaterThan(4);
    expect(parts.map((part) => part.text).join(' ')).toBe(text);
    expect(parts.every(({ page }) => page === 3)).toBe(true);
  });
});
