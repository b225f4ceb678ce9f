import { Injectable } from '@nestjs/common';
import { DocumentReader } from '../documents/document-reader.port.js';
import { DocumentSearch } from '../search/document-search.port.js';
import { QuestionWriter } from './questions/question-writer.port.js';
import { RowQuality } from './row-quality.js';

/** What a build draws from. */
@Injectable()
export class BuildSources {
  constructor(
    readonly search: DocumentSearch,
    readonly documents: DocumentReader,
    readonly quality: RowQuality,
    readonly writer: QuestionWriter,
  ) {}
}
