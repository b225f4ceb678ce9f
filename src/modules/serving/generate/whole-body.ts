import type { OutgoingBody } from '../gateway/incoming-body.js';
import type { Sendable } from '../gateway/relay.js';

/** A body that is made here. */
export class WholeBody implements Sendable {
  readonly isKept = true;
  readonly problem = undefined;

  constructor(private readonly fields: Readonly<Record<string, unknown>>) {}

  out(model: string): OutgoingBody {
    const body = Buffer.from(JSON.stringify({ ...this.fields, model }));
    return { body, length: body.length };
  }
}
