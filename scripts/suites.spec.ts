import { countsOfJunit, testEnvironment } from './suites.mjs';

const report = (counts: string): string =>
  `<?xml version="1.0"?><testsuites><testsuite name="pytest" ${counts}><testcase/>`;

describe('suites', () => {
  it.each([
    ['passes', report('errors="0" failures="0" skipped="2" tests="10"'), 0, { passed: 8, failed: 0, skipped: 2 }],
    ['fails', report('errors="1" failures="2" skipped="0" tests="10"'), 1, { passed: 7, failed: 3, skipped: 0 }],
    ['crashed before its report', '', 3, { passed: 0, failed: 1, skipped: 0 }],
    ['was ended for taking too long', '', null, { passed: 0, failed: 1, skipped: 0 }],
    [
      'passed its tests and failed after them',
      report('errors="0" failures="0" skipped="0" tests="3"'),
      1,
      { passed: 3, failed: 1, skipped: 0 },
    ],
  ])('counts a pytest run that %s', (_what, xml, code, counts) => {
    expect(countsOfJunit(xml, code)).toEqual(counts);
  });

  it('keeps settings of the person who tests from the tests, but not where things are installed', () => {
    const env = { PATH: '/bin', CLARA_DATA_DIR: '/precious', CLARA_CACHE_DIR: '/cache', CLARA_PYTHON: 'python3.12' };
    expect(testEnvironment(env)).toEqual({ PATH: '/bin', CLARA_CACHE_DIR: '/cache', CLARA_PYTHON: 'python3.12' });
  });
});
