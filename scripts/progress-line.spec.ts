import type { WriteStream } from 'node:tty';
import { bar, describe as described, ProgressLine } from './progress-line.mjs';

const update = (percent: number) => ({
  progress_percent: percent,
  step: percent,
  total_steps: 100,
  seconds_left: 100 - percent,
  metrics: { loss: 1 },
});

function written(isTTY: boolean): { out: WriteStream; text: () => string } {
  let text = '';
  const out = { isTTY, columns: 80, write: (part: string) => (text += part) };
  return { out: out as unknown as WriteStream, text: () => text };
}

describe('the progress line', () => {
  it.each([
    [0, '[------------------------]'],
    [50, '[############------------]'],
    [100, '[########################]'],
    [120, '[########################]'],
  ])('has a bar for %d %%', (percent, shown) => {
    expect(bar(percent)).toBe(shown);
  });

  it('says what is known', () => {
    expect(described(update(9.9))).toBe('9 %  step 9.9/100  loss 1.000  91 s left'.replace('91 s', '1 min 31 s'));
    expect(described({ ...update(50), seconds_left: null, metrics: null })).toBe('50 %  step 50/100');
  });

  it('writes a line now and then where there is no terminal', () => {
    const { out, text } = written(false);
    const line = new ProgressLine(out);
    line.say('Training ...');
    line.say('Training ...');
    for (const percent of [1, 2, 9, 11, 12, 21]) line.step(update(percent));
    line.end();
    expect(
      text()
        .split('\n')
        .map((one) => one.split('  ')[0]),
    ).toEqual(['Training ...', '1 %', '11 %', '21 %', '']);
  });

  it('writes over one line on a terminal', () => {
    const { out, text } = written(true);
    const line = new ProgressLine(out);
    line.say('x'.repeat(200));
    line.step(update(50));
    line.end();
    line.end();
    expect(text()).toBe(`\r\u001b[K${'x'.repeat(79)}\r\u001b[K${bar(50)} 50 %  step 50/100  loss 1.000  50 s left\n`);
  });
});
