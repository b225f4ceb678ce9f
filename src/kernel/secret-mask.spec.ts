import { maskPatterns, SecretMask } from './secret-mask.js';

const pem = (kind: string): string => `-----BEGIN ${kind}-----\nMIIEcanary\n+/=\n-----END ${kind}-----`;

describe('the mask of secrets', () => {
  it.each([
    ['Authorization: Bearer canary.with-9', 'Authorization: Bearer ***'],
    ['basic Y2FuYXJ5OmNhbmFyeQ== and on', 'basic *** and on'],
    ['token clara_pat_canary-1 was used', 'token clara_pat_*** was used'],
    [['jwt ey', 'JhbGciOiJub25lIn0.ey', 'JzdWIiOiJjYW5hcnkifQ.sig'].join(''), 'jwt ***'],
    ['amqp://clara:canary@db:5432/x', 'amqp://clara:***@db:5432/x'],
    ['http://me:can@ary@host/ and http://host:80/path@x', 'http://me:***@host/ and http://host:80/path@x'],
    ['GET /ws?access_token=canary&after=3', 'GET /ws?access_token=***&after=3'],
    [`a ${pem('EC PRIVATE KEY')} b`, 'a *** b'],
    [pem('PRIVATE KEY').slice(0, 50), '***'],
  ])('makes of %j %j', (text, masked) => expect(maskPatterns(text)).toBe(masked));

  it.each([['the bearer of this'], ['http://localhost:8080/realms/vcc'], [pem('CERTIFICATE')], ['tags: token']])(
    'leaves %j',
    (text) => expect(maskPatterns(text)).toBe(text),
  );

  it('takes out the known secrets, in an address too, the longer first', () => {
    const mask = new SecretMask(['secret-1', 'secret-1-long', 'p&ss w/rd', 'ab']);
    expect(mask.text('secret-1-long, secret-1, p&ss w/rd, p%26ss%20w%2Frd, ab')).toBe('***, ***, ***, ***, ab');
  });

  it('looks into fields, errors and lists, and hides what is named like a secret', () => {
    const mask = new SecretMask(['canary']);
    const masked = mask.fields({
      error: new Error('no canary'),
      list: ['canary', { deep: 'a canary' }],
      password: 'x',
      headers: { authorization: 'x', accept: 'json' },
      count: 3,
      time: new Date(0),
      nothing: null,
    });
    expect(JSON.stringify(masked)).not.toContain('canary');
    expect(masked).toMatchObject({
      list: ['***', { deep: 'a ***' }],
      password: '***',
      headers: { authorization: '***', accept: 'json' },
      count: 3,
      time: '1970-01-01T00:00:00.000Z',
      nothing: null,
    });
  });

  it('ends with what refers to itself', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(JSON.stringify(new SecretMask().fields(circle))).toContain('...');
  });

  it('is quick with long nonsense', () => {
    const started = performance.now();
    for (const part of ['a-', 'a://', '-----BEGIN PRIVATE KEY-----', 'Bearer ', 'eyJaaaaaa.', 'x:'])
      maskPatterns(part.repeat(5000));
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
