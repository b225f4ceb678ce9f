import { jsonIn, judgeNpm, judgePython } from './dependency-audit.mjs';

const npm = (severity: string) => ({
  metadata: { vulnerabilities: { high: 1 } },
  vulnerabilities: { left: { name: 'left', severity, range: '<2' } },
});
const python = (...dependencies: object[]) => ({ dependencies });
const clean = { name: 'a', version: '1', vulns: [] };
const unknown = { name: 'b', skip_reason: 'not found' };
const broken = { name: 'c', version: '1', vulns: [{ id: 'CVE-1', fix_versions: ['2'] }] };

describe('the audit of dependencies', () => {
  it('names what is high and critical, and lets the rest be', () => {
    expect(judgeNpm(npm('critical'))).toEqual({ found: ['left <2: critical'] });
    expect(judgeNpm(npm('high'))).toEqual({ found: ['left <2: high'] });
    expect(judgeNpm(npm('moderate'))).toEqual({ found: [] });
    expect(judgePython(python(clean, broken, unknown))).toEqual({ found: ['c 1: CVE-1, mended in 2'] });
    expect(judgePython(python(clean))).toEqual({ found: [] });
  });

  it('claims nothing where nothing was said', () => {
    expect(judgeNpm({ message: 'Method Not Allowed', statusCode: 405 })).toEqual({
      skipped: 'the registry answers no advisories (405)',
    });
    expect(judgeNpm(undefined)).toEqual({ skipped: 'the registry answers no advisories (no answer)' });
    expect(judgePython(undefined)).toEqual({ skipped: 'pip-audit got no answer from the index' });
    expect(judgePython(python(clean, unknown))).toEqual({
      skipped: 'the index has no advisories for 1 of 2 packages',
    });
  });

  it('finds the report between other lines', () => {
    expect(jsonIn('npm warn x\n{\n "a": 1\n}\nnpm error y\n')).toEqual({ a: 1 });
    expect(jsonIn('No known vulnerabilities\n{"dependencies": []}')).toEqual({ dependencies: [] });
    expect(jsonIn('nothing')).toBeUndefined();
  });
});
