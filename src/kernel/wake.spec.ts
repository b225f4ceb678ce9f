import { Wake } from './wake.js';

const LONG = 60_000;

describe('a wake', () => {
  it('ends a wait', async () => {
    const wake = new Wake();
    setTimeout(() => wake.ring(), 5);
    await expect(wake.wait(LONG)).resolves.toBeUndefined();
  });

  it('remembers rings from before, as one', async () => {
    const wake = new Wake();
    wake.ring();
    wake.ring();
    await wake.wait(LONG);
    const began = Date.now();
    await wake.wait(30);
    expect(Date.now() - began).toBeGreaterThanOrEqual(25);
  });

  it('ends a wait after its time', async () => {
    const wake = new Wake();
    await wake.wait(5);
    wake.ring();
    await wake.wait(LONG);
  });
});
