import { messageOf } from '../../kernel/errors.js';
import { UnreadableFile } from '../../modules/documents/document-parser.port.js';

/** What V8 says where a single string, array or buffer would be too large. */
const TOO_LARGE =
  /invalid (?:string|array|typed array) length|allocation failed|cannot create a string longer|out of memory/i;

/** A library that stumbles over a file says so in many ways; a defect of the file it is in all of them. */
export function asUnreadable(error: unknown): UnreadableFile {
  if (error instanceof UnreadableFile) return error;
  const message = messageOf(error).slice(0, 200);
  if (error instanceof RangeError && /call stack/i.test(message))
    return new UnreadableFile('broken', 'The file is nested too deeply to be read.');
  if (TOO_LARGE.test(message))
    return new UnreadableFile('memory', 'Reading the file takes more memory than a parser may have. Split it.');
  return new UnreadableFile('broken', `The file cannot be read: ${message}`);
}
