import { holdsAll } from './npm-packages.mjs';
import { checkNode } from './prepare.mjs';

describe('prepare', () => {
  it.each(['20.19.0', '20.20.2', '22.0.0', '24.1.0'])('runs on Node.js %s', (version) => {
    expect(() => checkNode(version, '/usr/bin/node')).not.toThrow();
  });

  it.each(['18.20.0', '20.18.9', '8.1.0'])('says what is needed on Node.js %s', (version) => {
    expect(() => checkNode(version, '/usr/bin/node')).toThrow(
      `needs Node.js 20.19 or newer; /usr/bin/node is ${version}`,
    );
  });

  describe('packages', () => {
    const wanted = {
      '': { version: '1.0.0' },
      'node_modules/a': { version: '1.0.0' },
      'node_modules/a-mac': { version: '1.0.0', optional: true },
    };
    it.each([
      ['are there', { 'node_modules/a': { version: '1.0.0' } }, true],
      [
        'are there, with an optional one',
        { 'node_modules/a': { version: '1.0.0' }, 'node_modules/a-mac': { version: '1.0.0' } },
        true,
      ],
      ['of another version are not there', { 'node_modules/a': { version: '1.0.1' } }, false],
      ['that are missing are not there', {}, false],
      [
        'that should be gone count too',
        { 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '1.0.0' } },
        false,
      ],
    ])('that %s', (_what, present, there) => {
      expect(holdsAll(wanted, present)).toBe(there);
    });
  });
});
