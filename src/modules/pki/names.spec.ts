import { nameProblems, outside } from './names.js';

const good = {
  serviceId: 'ingestion',
  commonName: 'Ingestion service',
  dns: ['ingestion.test'],
  ip: ['10.0.0.1', '::1'],
};
const pathsOf = (change: Partial<typeof good>) => nameProblems({ ...good, ...change }).map(({ path }) => path);

describe('names in certificates', () => {
  it.each(['Ingestion service', 'Straßenamt Köln', 'a.b', 'x_y-z'])('may be %p', (commonName) => {
    expect(pathsOf({ commonName })).toEqual([]);
  });

  it.each([
    'ab',
    'x,O=Other',
    'x+OU=Other',
    'CN=x',
    'x"y',
    'x\\y',
    'x\0y',
    'x\ny',
    '*.test',
    ' abc',
    'abc ',
    '<abc>',
    'a'.repeat(65),
  ])('may not be %p', (commonName) => expect(pathsOf({ commonName })).toEqual(['common_name']));

  it.each([
    'ab',
    'A-service',
    'a_b',
    'a.b',
    'a'.repeat(65),
    '0123456789abcdef0123456789abcdef',
    '3fa4fba8-f397-4e41-80fb-d549589dabc3',
  ])('of services may not be %p', (serviceId) => expect(pathsOf({ serviceId })).toEqual(['service_id']));

  it.each(['*.test', 'UPPER.test', 'a..b', '-a.test', 'a b', 'a/b', `${'a'.repeat(64)}.test`, 'a,DNS:other', ''])(
    'in DNS may not be %p',
    (name) => expect(pathsOf({ dns: [name] })).toEqual(['san_dns']),
  );

  it.each(['localhost', '10.0.0', '10.0.0.1/8', '256.1.1.1', 'fe80::1%eth0x y', ''])(
    'of addresses may not be %p',
    (address) => expect(pathsOf({ ip: [address] })).toEqual(['san_ip']),
  );

  it('are 50 at most', () => {
    expect(pathsOf({ dns: Array.from({ length: 51 }, (_, index) => `n${index}.test`), ip: [] })).toEqual(['san_dns']);
  });

  it('are compared with what is allowed', () => {
    expect(outside(['a', 'b', 'c'], ['b'])).toEqual(['a', 'c']);
  });
});
