import { checkpointId, eventId, eventPosition, isJobId, newJobId, resultFileId } from './job-ids.js';

it('ids of jobs look as OpenAI has them, and no two are alike', () => {
  const ids = Array.from({ length: 100 }, newJobId);
  expect(ids.every(isJobId)).toBe(true);
  expect(new Set(ids).size).toBe(100);
  for (const none of ['', 'ftjob-', 'ftjob-xyz', `${ids[0]}0`, "ftjob-' OR 1=1"]) expect(isJobId(none)).toBe(false);
});

it('ids of events tell the job and the place in it', () => {
  const [job, other] = [newJobId(), newJobId()];
  expect(eventPosition(job, eventId(job, 4711))).toBe(4711);
  expect(eventPosition(other, eventId(job, 4711))).toBeUndefined();
  for (const none of ['', 'ftevent-', eventId(job, 1).slice(0, -1), `${eventId(job, 1)}0`])
    expect(eventPosition(job, none)).toBeUndefined();
});

it('a job has one results file, and a checkpoint one id, whoever asks', () => {
  const job = newJobId();
  expect(resultFileId(job)).toBe(resultFileId(job));
  expect(resultFileId(job)).toMatch(/^file-[0-9a-f]{24}$/);
  expect(resultFileId(job)).not.toBe(resultFileId(newJobId()));
  expect(checkpointId(job, 20)).toBe(`ftckpt-${job.slice(6)}00000014`);
});
