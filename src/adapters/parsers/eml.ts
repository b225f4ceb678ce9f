import PostalMime, { type Address, type Email } from 'postal-mime';
import { messageOf } from '../../kernel/errors.js';
import { UnreadableFile, type Block } from '../../modules/documents/document-parser.port.js';
import { factsOf } from './front-matter.js';
import { htmlBlocks } from './html-blocks.js';
import { parsedOf, wholeFile, type Parsed, type SourceFile } from './source-file.js';
import { paragraphs } from './txt.js';

const DEEPEST = 32;
const SHOWN_ATTACHMENTS = 20;

/** A mail: its headers as metadata, its HTML or text; attachments are named, not read. */
export async function parseMail(file: SourceFile): Promise<Parsed> {
  const mail = await read(await wholeFile(file));
  return parsedOf(await bodyBlocks(mail), {
    title: mail.subject?.trim() || null,
    metadata: factsOf({
      from: people(mail.from ? [mail.from] : []),
      to: people(mail.to ?? []),
      cc: people(mail.cc ?? []),
      date: mail.date,
      message_id: mail.messageId,
    }),
    warnings: attachmentWarnings(mail),
  });
}

async function read(bytes: Buffer): Promise<Email> {
  try {
    return await PostalMime.parse(bytes, { maxNestingDepth: DEEPEST });
  } catch (error) {
    throw new UnreadableFile('broken', `The mail cannot be read: ${messageOf(error).slice(0, 200)}`);
  }
}

async function bodyBlocks(mail: Email): Promise<Block[]> {
  const subject: Block[] = mail.subject?.trim() ? [{ kind: 'heading', level: 1, text: mail.subject.trim() }] : [];
  const fromHtml = mail.html ? htmlBlocks(mail.html).blocks : [];
  if (fromHtml.length > 0) return [...subject, ...fromHtml];
  const blocks = subject;
  for await (const block of paragraphs((mail.text ?? '').split(/\r\n|\n/))) blocks.push(block);
  return blocks;
}

const people = (addresses: readonly Address[]): string =>
  addresses
    .flatMap((one) => one.group ?? [one])
    .map(({ name, address }) => (name ? `${name} <${address ?? ''}>` : (address ?? '')))
    .join(', ');

function attachmentWarnings(mail: Email): string[] {
  const files = mail.attachments.filter(({ related, filename }) => !related || filename);
  const shown = files.slice(0, SHOWN_ATTACHMENTS).map(({ filename, mimeType }) => {
    const name = (filename ?? mimeType).slice(0, 200);
    return `the attachment "${name}" was not read; upload it on its own`;
  });
  const more = files.length - shown.length;
  return more > 0 ? [...shown, `${more} more attachments were not read`] : shown;
}
