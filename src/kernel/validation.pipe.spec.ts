import 'reflect-metadata';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, ValidateNested } from 'class-validator';
import { CreateJobDto, ListJobsQuery } from '../modules/training/job.dto.js';
import { AppError } from './errors.js';
import { validationPipe } from './validation.pipe.js';

class Inner {
  @IsInt()
  @Max(5)
  depth!: number;
}

class Body {
  @IsString()
  @MaxLength(3)
  name!: string;

  @IsOptional()
  @IsIn(['a', 'b'])
  kind?: string;

  @IsOptional()
  @ValidateNested()
  @Type(() => Inner)
  inner?: Inner;
}

const check = <T>(value: unknown, metatype: new () => T): Promise<T> =>
  validationPipe().transform(value, { type: 'body', metatype }) as Promise<T>;

async function problemsOf(value: unknown, metatype: new () => unknown): Promise<string[]> {
  const error: unknown = await check(value, metatype).catch((thrown: unknown) => thrown);
  if (!(error instanceof AppError)) throw new Error('it was accepted');
  return error.problems.map(({ path, message }) => `${path} | ${message}`);
}

describe('the validation of bodies', () => {
  it('names every problem at once: where, which value, what is allowed', async () => {
    expect(await problemsOf({ name: 'Erika', kind: 'c', inner: { depth: 9 } }, Body)).toEqual([
      'name | name: "Erika" is not allowed; it must be shorter than or equal to 3 characters',
      'kind | kind: "c" is not allowed; it must be one of the following values: a, b',
      'inner.depth | inner.depth: 9 is not allowed; it must not be greater than 5',
    ]);
  });

  it('says what is missing', async () => {
    expect((await problemsOf({}, Body)).join()).toMatch(/name \| name: is missing/);
  });

  it('shows a long value shortened', async () => {
    const [message] = await problemsOf({ name: 'x'.repeat(500) }, Body);
    expect(message?.length).toBeLessThan(200);
  });

  it('drops what nobody asked for, also under names of the language', async () => {
    const sent = JSON.parse('{"name": "a", "surprise": 1, "__proto__": {"kind": "b"}, "constructor": 1}') as unknown;
    expect(JSON.stringify(await check(sent, Body))).toBe('{"name":"a"}');
  });

  it('refuses a body that is no object', async () => {
    for (const body of ['text', 5, [], null])
      await expect(check(body, Body).then((made) => made.name)).rejects.toThrow();
  });
});

describe('the request for a job', () => {
  const job = { trainer_type: 'lora', config_path: 'configs/a.yaml' };

  it.each([
    [1, 1],
    [5, 5],
    [6, 5],
    [10, 5],
  ])('takes the priority %i as %i', async (sent, taken) => {
    expect((await check({ ...job, priority: sent }, CreateJobDto)).priority).toBe(taken);
  });

  it.each([0, 11, 1.5, '3', true])('refuses the priority %j', async (priority) => {
    expect(await problemsOf({ ...job, priority }, CreateJobDto)).not.toEqual([]);
  });

  it('takes an empty data set as none', async () => {
    expect((await check({ ...job, dataset_path: '' }, CreateJobDto)).dataset_path).toBeNull();
    expect((await check(job, CreateJobDto)).dataset_path).toBeUndefined();
  });

  it('explains what is not offered', async () => {
    expect((await problemsOf({ ...job, trainer_type: 'full_finetuning' }, CreateJobDto)).join()).toContain(
      'full fine-tuning is not offered',
    );
  });
});

describe('the query of a list', () => {
  it('reads numbers, cuts long pages and takes an empty status as none', async () => {
    expect(await check({}, ListJobsQuery)).toMatchObject({ limit: 100 });
    expect(await check({ limit: '5000', offset: '3', status: '' }, ListJobsQuery)).toMatchObject({
      limit: 1000,
      offset: 3,
      status: null,
    });
  });
  it.each([{ limit: '0' }, { limit: 'ten' }, { offset: '-1' }, { status: 'done' }])('refuses %j', async (query) => {
    expect(await problemsOf(query, ListJobsQuery)).not.toEqual([]);
  });
});
