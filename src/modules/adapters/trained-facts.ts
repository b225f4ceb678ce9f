import type { CompletedJob } from '../training/completed-adapter.port.js';
import { domainsOf, stemOf } from './version-name.js';

type Json = Readonly<Record<string, unknown>>;

const gains = ['loss', 'perplexity', 'token_accuracy', 'reward_margin', 'reward_accuracy'] as const;
const single = ['steps', 'epochs', 'train_tokens', 'seconds', 'tokens_per_second'] as const;

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** The numbers of training_report.json, flat: `loss_before`, `loss_after`, `steps`; `ppl_dev` is the perplexity after. Pure. */
export function metricsOf(report: Json): Record<string, number> {
  const pairs: [string, unknown][] = gains.flatMap((name) => {
    const gain = (report[name] ?? {}) as Json;
    return ['before', 'after'].map((when): [string, unknown] => [`${name}_${when}`, gain[when]]);
  });
  const rest = single.map((name): [string, unknown] => [name, report[name]]);
  const all: [string, unknown][] = [
    ...pairs,
    ['ppl_dev', (report['perplexity'] as Json | undefined)?.['after']],
    ...rest,
  ];
  return Object.fromEntries(all.filter((entry): entry is [string, number] => isNumber(entry[1])));
}

/** What it was trained on: a version of a dataset, and the files as the trainer saw them. Pure. */
export function datasetOf({ config }: CompletedJob, report: Json): Record<string, unknown> {
  const files = Array.isArray(report['data']) ? (report['data'] as Json[]) : [];
  return {
    ...config.dataset,
    files: files.map(({ path, sha256, rows, format }) => ({ name: stemless(path), sha256, rows, format })),
  };
}

const stemless = (path: unknown): string => (typeof path === 'string' ? (path.split('/').at(-1) ?? '') : '');

/** `lora` or `qlora`, however the job was called, and `dpo` where it learned from preferences. Pure. */
export function methodOf({ trainerType, config }: CompletedJob, dora: 'dora' | 'plain'): string {
  const { method } = config.run as { method?: unknown };
  if (method === 'dpo') return 'dpo';
  if (dora === 'dora') return 'dora';
  return trainerType === 'qlora' || config.run.quantization !== null ? 'qlora' : 'lora';
}

/** The names that a job gives its adapter. Pure. */
export function namesOf({ tags, config, configPath }: CompletedJob): {
  domain: string;
  domains: string[];
  suffix: string;
} {
  const domains = domainsOf(tags);
  return { domains, domain: domains[0] ?? config.name ?? stemOf(configPath), suffix: config.name ?? '' };
}
