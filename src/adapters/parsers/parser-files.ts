import { SupportedFiles } from '../../modules/documents/supported-files.port.js';
import { supportedFileTypes } from './supported.js';

/** What these parsers and archives read. */
export class ParserFiles extends SupportedFiles {
  constructor(private readonly pictures: 'pictures' | 'no pictures') {
    super();
  }

  list(): ReturnType<SupportedFiles['list']> {
    return supportedFileTypes(this.pictures);
  }
}
