import { UnreadableFile, type Block } from '../../modules/documents/document-parser.port.js';
import { messageOf } from '../../kernel/errors.js';
import { jsonBlocks, recordText } from './json-blocks.js';
import { parsedOf, type Parsed, type SourceFile } from './source-file.js';
import { textLines, textSource, wholeText } from './text-source.js';

const SHOWN_LINES = 10;

/** JSON, and JSON lines (streamed): records as rows. */
export async function parseJson(file: SourceFile): Promise<Parsed> {
  const source = await textSource(file);
  if (await isLines(textLines(file, source))) {
    const parsed = parsedOf([], { warnings: source.warnings });
    parsed.blocks = lineBlocks(textLines(file, source), parsed.warnings);
    return parsed;
  }
  const text = await wholeText(file, source);
  try {
    return parsedOf(jsonBlocks(JSON.parse(text)), { warnings: source.warnings });
  } catch (error) {
    throw new UnreadableFile('broken', `The JSON cannot be read: ${messageOf(error).slice(0, 200)}`);
  }
}

/** Two lines that are each a whole object or list. */
async function isLines(lines: AsyncIterable<string>): Promise<boolean> {
  let whole = 0;
  for await (const line of lines) {
    if (line.trim() === '') continue;
    if (!/^\s*[[{]/.test(line) || recordOf(line) === undefined) return false;
    if (++whole === 2) return true;
  }
  return false;
}

/** Undefined: no JSON. */
function recordOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function* lineBlocks(lines: AsyncIterable<string>, warnings: string[]): AsyncGenerator<Block> {
  let number = 0;
  let wrong = 0;
  for await (const line of lines) {
    number++;
    if (line.trim() === '') continue;
    const record = recordOf(line);
    if (record === undefined) {
      if (++wrong <= SHOWN_LINES) warnings.push(`line ${number} is not JSON; it was left out`);
      continue;
    }
    const text = recordText(record);
    if (text) yield { kind: 'table_row', text };
  }
  if (wrong > SHOWN_LINES) warnings.push(`${wrong - SHOWN_LINES} more lines are not JSON; they were left out`);
}
