import { randomBytes } from 'node:crypto';
import { AppError } from '../../kernel/errors.js';
import { parseMessage, parseQuery, parseSubscription } from './live-messages.js';

const job = 'a1b2c3d4-e5f6-7890-abcd-ef1234567890';

describe('parseMessage', () => {
  it.each(['ping', ' ping\n', '{"type":"ping"}'])('knows the ping %j', (text) => {
    expect(parseMessage(text)).toEqual({ type: 'ping' });
  });

  it('knows subscriptions', () => {
    expect(parseMessage(`{"type":"subscribe","job_id":"${job.toUpperCase()}","after":7}`)).toEqual({
      type: 'subscribe',
      subscription: { jobId: job, after: 7 },
    });
    expect(parseMessage('{"type":"subscribe","job_id":null}')).toEqual({
      type: 'subscribe',
      subscription: { jobId: undefined, after: undefined },
    });
    expect(parseMessage('{"type":"unsubscribe"}')).toEqual({ type: 'unsubscribe', jobId: undefined });
  });

  it.each([
    ['', 'neither "ping" nor JSON'],
    ['pong', 'neither "ping" nor JSON'],
    ['{"type":', 'neither "ping" nor JSON'],
    ['null', 'null is not a message'],
    ['[1]', '[1] is not a message'],
    ['{}', 'type: undefined is not known'],
    ['{"type":"constructor"}', 'type: "constructor" is not known'],
    ['{"type":{"a":1}}', 'type: {"a":1} is not known'],
    ['{"type":"subscribe","job_id":"1"}', 'job_id: "1" is not the id of a job'],
    ['{"type":"subscribe","after":-1}', 'after: -1 is not a stream number'],
    ['{"type":"subscribe","after":1.5}', 'after: 1.5 is not a stream number'],
    ['{"type":"subscribe","after":"7"}', 'after: "7" is not a stream number'],
    ['{"type":"subscribe","after":1e300}', 'after: 1e+300 is not a stream number'],
  ])('says what is wrong with %j', (text, problem) => {
    expect(() => parseMessage(text)).toThrow(problem);
  });

  it('answers every broken text with a message of bounded length', () => {
    for (let round = 0; round < 2000; round += 1) {
      const text = randomBytes(1 + (round % 300)).toString(round % 2 === 0 ? 'latin1' : 'utf8');
      const broken = round % 5 === 0 ? `{"type":"subscribe","job_id":${JSON.stringify(text)}}` : text;
      expect(() => parseMessage(broken)).toThrow(AppError);
      expect(() => parseMessage(broken)).toThrow(/^.{10,400}$/su);
    }
  });
});

describe('parseQuery', () => {
  it('reads job and after, and takes what is missing as all and from now on', () => {
    expect(parseQuery(new URLSearchParams(`job=${job}&after=12`))).toEqual({ jobId: job, after: 12 });
    expect(parseQuery(new URLSearchParams('job=&token=x'))).toEqual({ jobId: undefined, after: undefined });
    expect(parseQuery(new URLSearchParams('after=0'))).toEqual({ jobId: undefined, after: 0 });
  });

  it.each(['after=', 'after=abc', 'after=-1', 'after=1e3', 'after=99999999999999999999', 'job=../etc'])(
    'refuses %s',
    (query) => {
      expect(() => parseQuery(new URLSearchParams(query))).toThrow(AppError);
    },
  );
});

describe('parseSubscription', () => {
  it.each([[undefined], [null], [{}]])('takes %j as all jobs from now on', (value) => {
    expect(parseSubscription(value)).toEqual({ jobId: undefined, after: undefined });
  });

  it.each([['all'], [7], [[job]], [{ job_id: 7 }], [{ job_id: {} }], [{ after: '1' }]])('refuses %j', (value) => {
    expect(() => parseSubscription(value)).toThrow(AppError);
  });
});

describe('a message that is too deep', () => {
  const deep = '['.repeat(20_000) + ']'.repeat(20_000);

  it('is refused by both sockets, wherever it is deep', () => {
    for (const text of [deep, `{"type":${deep}}`, `{"type":"subscribe","job_id":${deep}}`])
      expect(() => parseMessage(text)).toThrow('nested deeper');
    expect(() => parseSubscription(JSON.parse(deep))).toThrow('nested deeper');
  });
});
