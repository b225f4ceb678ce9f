import { text } from 'node:stream/consumers';
import { exported, harmless } from './audit-export.js';
import type { AuditRowDto } from './audit.dto.js';

const row: AuditRowDto = {
  id: 7,
  time: new Date('2026-01-02T03:04:05.678Z'),
  actor: '=HYPERLINK("http://evil.example")',
  pseudonym: null,
  roles: ['trainer'],
  via: 'token',
  certificate: null,
  action: 'training.job.create',
  target_type: 'training_job',
  target_id: '@SUM(A1)',
  outcome: 'done',
  address: '10.0.0.1',
  request_id: '-1+2',
  detail: { tags: ['a,b', '"c"'] },
};

async function* rows(...list: AuditRowDto[]): AsyncGenerator<AuditRowDto> {
  yield* list;
}

describe('the export', () => {
  it.each([['=1+1'], ['+1'], ['-1'], ['@A1'], ['\t=1'], ['\r=1']])('keeps a spreadsheet from calculating %j', (value) =>
    expect(harmless(value)).toBe(`'${value}`),
  );

  it.each([['a=1'], [''], ["'=1"], ['10.0.0.1']])('leaves %j as it is', (value) => expect(harmless(value)).toBe(value));

  it('writes CSV in which every cell is text', async () => {
    expect(await text(exported(rows(row), 'csv'))).toBe(
      'id,time,actor,pseudonym,roles,via,certificate,action,target_type,target_id,outcome,address,request_id,detail\n' +
        `7,2026-01-02T03:04:05.678Z,"'=HYPERLINK(""http://evil.example"")",,"[""trainer""]",token,,training.job.create,` +
        `training_job,'@SUM(A1),done,10.0.0.1,'-1+2,"{""tags"":[""a,b"",""\\""c\\""""]}"\n`,
    );
  });

  it('writes JSON lines with the values as they are', async () => {
    const lines = (await text(exported(rows(row, row), 'jsonl'))).trimEnd().split('\n');
    expect(lines).toEqual([JSON.stringify(row), JSON.stringify(row)]);
  });

  it.each(['csv', 'jsonl'] as const)(
    'takes no more rows than are read of %s, and none after it is closed',
    async (format) => {
      let taken = 0;
      async function* endless(): AsyncGenerator<AuditRowDto> {
        for (;;) {
          taken += 1;
          yield row;
        }
      }
      const stream = exported(endless(), format);
      for await (const _ of stream) if (taken > 100) break;
      expect(stream.destroyed).toBe(true);
      expect(taken).toBeLessThan(2000);
    },
  );
});
