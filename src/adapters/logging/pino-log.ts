import type { LoggerService } from '@nestjs/common';
import pino from 'pino';
import { createStream } from 'rotating-file-stream';
import { Log, type LogFields } from '../../kernel/log.js';
import { SecretMask } from '../../kernel/secret-mask.js';

export interface LogTarget {
  level: string;
  /** Folder of training_backend.log; rotated at 10 MB, ten old files are kept. */
  folder: string;
  /** Of the secrets that no line may show. */
  mask?: SecretMask;
}

/** One JSON object a line, to standard output and to logs/training_backend.log. */
export class PinoLog extends Log {
  readonly #pino: pino.Logger;
  readonly #mask: SecretMask;
  readonly #file: ReturnType<typeof createStream>;

  constructor({ level, folder, mask = new SecretMask() }: LogTarget) {
    super();
    this.#mask = mask;
    this.#file = createStream('training_backend.log', { path: folder, size: '10M', maxFiles: 10 });
    // A log that cannot be written (full disk) must not end the application; standard output still has the lines.
    this.#file.on('error', () => undefined);
    this.#file.on('warning', () => undefined);
    this.#pino = pino(
      {
        level,
        base: { service: 'clara' },
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
      },
      pino.multistream([
        { level: level as pino.Level, stream: process.stdout },
        { level: level as pino.Level, stream: this.#file },
      ]),
    );
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#write('debug', message, fields);
  }
  info(message: string, fields: LogFields = {}): void {
    this.#write('info', message, fields);
  }
  warn(message: string, fields: LogFields = {}): void {
    this.#write('warn', message, fields);
  }
  error(message: string, fields: LogFields = {}): void {
    this.#write('error', message, fields);
  }

  #write(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: LogFields): void {
    if (this.#pino.isLevelEnabled(level)) this.#pino[level](this.#mask.fields(fields), this.#mask.text(message));
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#file.end(() => resolve()));
  }
}

/** Nest's own lines, in the same log. Its start-up chatter is debug. */
export class NestLog implements LoggerService {
  constructor(private readonly target: Log) {}

  log(message: unknown, context?: string): void {
    this.target.debug(String(message), { context });
  }
  debug(message: unknown, context?: string): void {
    this.target.debug(String(message), { context });
  }
  verbose(message: unknown, context?: string): void {
    this.target.debug(String(message), { context });
  }
  warn(message: unknown, context?: string): void {
    this.target.warn(String(message), { context });
  }
  error(message: unknown, ...more: unknown[]): void {
    this.target.error(message instanceof Error ? message.message : String(message), { more });
  }
}
