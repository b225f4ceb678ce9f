import type { TrainingRow } from '../training-row.js';
import type { Passage } from './passage.js';

/** A row with the name of the template that made it. */
export interface QuestionRow {
  template: string;
  row: TrainingRow;
}

/** Longer answers are no answers any more, and are cut by the trainer. */
const LONGEST_ANSWER = 8000;
const SHORTEST_ANSWER = 40;
/** With fewer words a question does not say what it is about. */
const QUESTION_WORDS = 4;
const REPEALED = /^[\W\d]*(\(?weggefallen\)?|aufgehoben)[\W\d]*$/i;
const HEADING = /^(§{1,2}|Art\.?|Artikel)\s*(\d+(?:\s?[a-z])?)(?![\p{L}\p{N}])\s*[-–:.]?\s*(.*)$/iu;

interface Provision {
  /** Such as "§ 35 VwVfG". */
  label: string;
  law: string;
  /** Such as "Begriff des Verwaltungsaktes"; empty where it has none. */
  heading: string;
}

/** The law as the document writes it: `vwvfg` is "VwVfG" in its title. */
export function lawName(
  key: string,
  { title, filename, metadata }: Pick<Passage, 'title' | 'filename' | 'metadata'>,
): string {
  const texts = [title, filename, ...Object.values(metadata).filter((value) => typeof value === 'string')];
  const words = texts.flatMap((text) => text.split(/[^\p{L}\p{N}]+/u));
  const found = words.find((word) => word.toLowerCase() === key && word !== key);
  return found ?? key.toUpperCase();
}

/** What a passage of a law is called; undefined outside of laws. */
export function provisionOf(passage: Passage): Provision | undefined {
  const [key, number] = passage.provision?.split(':') ?? [];
  if (!key || !number) return undefined;
  const law = lawName(key, passage);
  const heading = passage.path.map((text) => HEADING.exec(text.trim())).findLast((match) => match !== null);
  const sign = heading?.[1]?.startsWith('A') ? 'Art.' : '§';
  return { label: `${sign} ${heading?.[2]?.trim() ?? number} ${law}`, law, heading: heading?.[3]?.trim() ?? '' };
}

type Template = [name: string, question: string, answer: string];

function provisionTemplates({ label, law, heading }: Provision, text: string): Template[] {
  const named = heading === '' ? label : `${label} (${heading})`;
  const plain: Template[] = [
    ['provision-regulates', `Was regelt ${label}?`, `${named} regelt:\n${text}`],
    ['provision-wording', `Wie lautet ${label}?`, text],
  ];
  if (heading === '') return plain;
  return [
    ...plain,
    ['heading-to-provision', `In welcher Vorschrift des ${law} geht es um „${heading}“?`, `Das regelt ${label}.`],
    ['heading-to-wording', `Was sagt das ${law} zu „${heading}“?`, `Nach ${label} gilt:\n${text}`],
  ];
}

/** A heading that asks is a question already; a short one ("Was kostet es?") only with the title. */
function questionTemplates(title: string, question: string, text: string): Template[] {
  const withTitle: Template = ['question-with-title', `${title}: ${question}`, text];
  const words = question.split(/\s+/).length;
  return words < QUESTION_WORDS ? [withTitle] : [['question-heading', question, text], withTitle];
}

function sectionTemplates(title: string, heading: string | undefined, text: string): Template[] {
  if (!heading || heading === title) return [['document-content', `Was steht in „${title}“?`, text]];
  if (heading.endsWith('?')) return questionTemplates(title, heading, text);
  return [
    ['section-content', `Was steht in „${title}“ im Abschnitt „${heading}“?`, text],
    ['section-subject', `Was sagt „${title}“ zu „${heading}“?`, text],
  ];
}

/** The heading is the question's; an answer that repeats it teaches nothing. */
function withoutHeading(content: string, path: readonly string[]): string {
  const [first = '', ...rest] = content.split('\n');
  return path.some((heading) => heading.trim() === first.trim()) ? rest.join('\n').trim() : content.trim();
}

/** What a passage says besides its heading; undefined where that is nothing, or nothing that is in force. */
export function bodyOf({ content, path }: Pick<Passage, 'content' | 'path'>): string | undefined {
  const text = withoutHeading(content, path);
  return text.length < SHORTEST_ANSWER || REPEALED.test(text) ? undefined : text;
}

/** A question with its answer as a row. */
export const questionRow = (question: string, answer: string): TrainingRow => ({
  kind: 'messages',
  messages: [
    { role: 'user', content: question },
    { role: 'assistant', content: answer },
  ],
});

/** Question-answer rows out of a passage by templates; none where it says nothing. */
export function questionRows(passage: Passage): QuestionRow[] {
  const text = bodyOf(passage);
  if (text === undefined || text.length > LONGEST_ANSWER) return [];
  const provision = provisionOf(passage);
  const templates = provision
    ? provisionTemplates(provision, text)
    : sectionTemplates(passage.title, passage.path.at(-1)?.trim(), text);
  return templates.map(([template, question, answer]) => ({ template, row: questionRow(question, answer) }));
}
