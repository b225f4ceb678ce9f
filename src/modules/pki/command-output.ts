import { InvalidArgumentError, type Command } from 'commander';

export interface Print {
  json?: boolean;
}

export interface NameOptions {
  cn?: string;
  dns: string[];
  ip: string[];
}

const collect = (value: string, all: string[]): string[] => [...all, value];

/** The options of everything that names a service. */
export const nameOptions = (command: Command): Command =>
  command
    .option('--cn <name>', 'common name; the service id without it')
    .option('--dns <name>', 'DNS name, any number of times', collect, [])
    .option('--ip <address>', 'IP address, any number of times', collect, []);

/** A whole number of an option. */
export const whole =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`"${text}" is not a whole number from ${min} to ${max}.`);
  };

/** A table for people, or everything as JSON. */
export function printRows(rows: readonly object[], json?: boolean, columns?: readonly string[]): void {
  process.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : tableOf(rows, columns));
}

function tableOf(rows: readonly object[], columns: readonly string[] = Object.keys(rows[0] ?? {})): string {
  const lines = [[...columns], ...rows.map((row) => columns.map((name) => cell(Reflect.get(row, name))))];
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const shown = lines.map((line) =>
    line
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `${shown.join('\n')}\n`;
}

function cell(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  if (value === null || value === undefined) return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
