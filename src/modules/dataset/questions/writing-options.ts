import type { CreateVersionDto } from '../create-dataset.dto.js';
import type { RowForm, VersionSource, WritingOptions } from '../dataset-record.js';
import { invalid } from '../invalid.js';
import { promptHash, promptOf } from './written-pairs.js';

type Request = Pick<CreateVersionDto, 'questions' | 'row_form'>;

const PER_PASSAGE = 3;

export const rowFormOf = ({ questions, row_form: form }: Request): RowForm =>
  form ?? (questions ? 'questions' : 'text');

function problemOf(
  { questions, row_form: form }: Request,
  { model, source }: { model: string | null; source: VersionSource['kind'] },
): [path: string, message: string] | undefined {
  if (!questions) return undefined;
  const { by, per_passage: perPassage, prompt } = questions;
  if (form === 'text') return ['questions', 'are not made by row_form text; leave one of them out'];
  if (source === 'file') return ['questions', 'are made of documents; name search_query or documents'];
  if (by === 'template' && (perPassage !== undefined || prompt !== undefined))
    return ['questions', 'by templates take no per_passage and no prompt; these are for by: model'];
  if (by === 'model' && model === null)
    return [
      'questions.by',
      'no model is configured here; set CLARA_WRITER_URL and CLARA_WRITER_MODEL, or ask for by: template',
    ];
  return undefined;
}

/** How a model writes the questions; undefined: none does. @throws AppError `invalid` */
export function writingOf(
  request: Request,
  about: { model: string | null; source: VersionSource['kind'] },
): WritingOptions | undefined {
  const problem = problemOf(request, about);
  if (problem) throw invalid([{ path: problem[0], message: problem[1] }]);
  const { questions } = request;
  if (questions?.by !== 'model' || about.model === null) return undefined;
  const perPassage = questions.per_passage ?? PER_PASSAGE;
  const prompt = promptOf(questions.prompt, perPassage);
  return { model: about.model, perPassage, prompt, promptHash: promptHash(prompt) };
}
