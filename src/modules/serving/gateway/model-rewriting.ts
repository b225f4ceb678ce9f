import { BodyProblem, BodyScan } from './body-scan.js';
import { eventsOf } from './event-cutter.js';

const DATA = Buffer.from('data:');

/** A JSON object with another top-level `model`; as it was where it has none, or is none. */
export function withModel(json: Buffer, model: string): Buffer {
  const token = modelIn(json);
  if (!token) return json;
  return Buffer.concat([json.subarray(0, token.start), Buffer.from(JSON.stringify(model)), json.subarray(token.end)]);
}

/** Whole server-sent events, each with another `model`. */
export const eventsWithModel = (events: Buffer, model: string): Buffer =>
  Buffer.concat(eventsOf(events).map((event) => eventWithModel(event, model)));

function eventWithModel(event: Buffer, model: string): Buffer {
  const brace = event.indexOf(0x7b);
  const end = event.lastIndexOf(0x7d);
  if (brace < 0 || end < brace || event.indexOf(DATA) !== 0) return event;
  const json = withModel(event.subarray(brace, end + 1), model);
  return Buffer.concat([event.subarray(0, brace), json, event.subarray(end + 1)]);
}

function modelIn(json: Buffer): { start: number; end: number } | undefined {
  const scan = new BodyScan(['model']);
  try {
    scan.push(json);
    return scan.found.get('model');
  } catch (error) {
    if (error instanceof BodyProblem) return undefined;
    throw error;
  }
}
