import { Injectable } from '@nestjs/common';
import { API_VERSION } from '../../kernel/api-version.js';
import { SupportedFiles } from '../documents/supported-files.port.js';
import type { FileTypesDto } from './ingestion.dto.js';

/** What can be read, as the parsers say. */
@Injectable()
export class FileTypes {
  constructor(private readonly supported: SupportedFiles) {}

  list(): FileTypesDto {
    const { categories, all_extensions } = this.supported.list();
    return {
      categories,
      all_extensions,
      registered_categories: Object.keys(categories),
      version: API_VERSION,
      timestamp: new Date().toISOString(),
    };
  }
}
