import { parse } from 'yaml';

/** Words that speak for one adapter, whatever its domains are. */
export interface StaticRule {
  /** Name, domain or alias of the adapter. */
  adapter: string;
  words: readonly string[];
  weight: number;
}

export interface RouterConfig {
  thresholds: {
    /** From this score on an adapter is taken without a comparison. */
    hardDomain: number;
    /** Below this confidence the default answers. */
    confLow: number;
    /** From this confidence on nothing is explored. */
    confHigh: number;
  };
  weights: { domainMetricBonus: number; embedding: number };
  options: { useDomainScore: boolean; enableStaticRules: boolean; defaultAdapter: string | null };
  staticRules: readonly StaticRule[];
}

/** Every problem of a router configuration, one line each. */
export class RouterConfigError extends Error {}

type Fields = Record<string, unknown>;

/** The shape of the file: what each section may hold, and what stands for a key that is missing. */
const SECTIONS = {
  thresholds: { hard_domain: 1.5, conf_low: 0.55, conf_high: 0.85 },
  weights: { domain_metric_bonus: 0.3, embedding: 1 },
  options: { use_domain_score: true, enable_static_rules: true, default_adapter: null },
} as const;

/** @throws RouterConfigError */
export function readRouterConfig(text: string): RouterConfig {
  const problems: string[] = [];
  const file = fieldsOf(parsed(text));
  for (const name of Object.keys(file))
    if (!(name in SECTIONS) && name !== 'static_rules') problems.push(`${name}: is not known`);
  const thresholds = section(file, 'thresholds', problems);
  const weights = section(file, 'weights', problems);
  const options = section(file, 'options', problems);
  const staticRules = rulesOf(file['static_rules'] ?? [], problems);
  const config: RouterConfig = {
    thresholds: {
      hardDomain: number(thresholds, 'hard_domain', problems),
      confLow: share(thresholds, 'conf_low', problems),
      confHigh: share(thresholds, 'conf_high', problems),
    },
    weights: {
      domainMetricBonus: number(weights, 'domain_metric_bonus', problems),
      embedding: number(weights, 'embedding', problems),
    },
    options: {
      useDomainScore: flag(options, 'use_domain_score', problems),
      enableStaticRules: flag(options, 'enable_static_rules', problems),
      defaultAdapter: nameOrNull(options, problems),
    },
    staticRules,
  };
  if (config.thresholds.confLow > config.thresholds.confHigh) problems.push('thresholds.conf_low: is above conf_high');
  if (problems.length > 0) throw new RouterConfigError(problems.join('\n'));
  return config;
}

/** The same configuration as a file has it. */
export const routerFields = ({ thresholds, weights, options, staticRules }: RouterConfig) => ({
  thresholds: { hard_domain: thresholds.hardDomain, conf_low: thresholds.confLow, conf_high: thresholds.confHigh },
  weights: { domain_metric_bonus: weights.domainMetricBonus, embedding: weights.embedding },
  options: {
    use_domain_score: options.useDomainScore,
    enable_static_rules: options.enableStaticRules,
    default_adapter: options.defaultAdapter,
  },
  static_rules: staticRules.map(({ adapter, words, weight }) => ({ adapter, words: [...words], weight })),
});

function parsed(text: string): unknown {
  try {
    return parse(text) as unknown;
  } catch (error) {
    throw new RouterConfigError(`the YAML cannot be read: ${String(error).slice(0, 300)}`, { cause: error });
  }
}

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

function section(file: Fields, name: keyof typeof SECTIONS, problems: string[]): Fields {
  const given = file[name] ?? {};
  if (given !== null && (typeof given !== 'object' || Array.isArray(given)))
    problems.push(`${name}: must be a section`);
  const usual: Fields = SECTIONS[name];
  const fields = fieldsOf(given);
  for (const key of Object.keys(fields)) if (!(key in usual)) problems.push(`${name}.${key}: is not known`);
  return { ...usual, ...fields };
}

function number(fields: Fields, key: string, problems: string[]): number {
  const value = fields[key];
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  problems.push(`${key}: ${JSON.stringify(value)} is not a number from 0`);
  return 0;
}

function share(fields: Fields, key: string, problems: string[]): number {
  const value = number(fields, key, problems);
  if (value > 1) problems.push(`${key}: ${value} is above 1`);
  return value;
}

function flag(fields: Fields, key: string, problems: string[]): boolean {
  if (typeof fields[key] !== 'boolean') problems.push(`${key}: ${JSON.stringify(fields[key])} is not true or false`);
  return fields[key] === true;
}

function nameOrNull(options: Fields, problems: string[]): string | null {
  const value = options['default_adapter'];
  if (value === null || (typeof value === 'string' && value !== '')) return value;
  problems.push(`default_adapter: ${JSON.stringify(value)} is not a name`);
  return null;
}

function rulesOf(given: unknown, problems: string[]): StaticRule[] {
  if (!Array.isArray(given)) {
    problems.push('static_rules: must be a list');
    return [];
  }
  return given.map((entry: unknown, index) => {
    const rule = fieldsOf(entry);
    const at = `static_rules[${index}]`;
    const words = Array.isArray(rule['words'])
      ? rule['words'].filter((word): word is string => typeof word === 'string')
      : [];
    if (typeof rule['adapter'] !== 'string') problems.push(`${at}.adapter: is missing`);
    if (words.length === 0) problems.push(`${at}.words: must be a list of words`);
    return { adapter: String(rule['adapter']), words, weight: number({ weight: 1, ...rule }, 'weight', problems) };
  });
}
