import { Module } from '@nestjs/common';
import { DocumentsModule } from '../documents/documents.module.js';
import { DocumentSearch } from './document-search.port.js';
import { HitReader } from './hit-reader.js';
import { HybridSearch } from './hybrid-search.js';
import { KeywordLeg } from './keyword-leg.js';
import { ProvisionLookup } from './provision-lookup.js';
import { RelationalLeg } from './relational-leg.js';
import { SearchLegs } from './search-legs.js';
import { SearchScopes } from './search-scope.js';
import { VectorLeg } from './vector-leg.js';

@Module({
  imports: [DocumentsModule],
  providers: [
    HitReader,
    KeywordLeg,
    ProvisionLookup,
    RelationalLeg,
    SearchLegs,
    SearchScopes,
    VectorLeg,
    { provide: DocumentSearch, useClass: HybridSearch },
  ],
  exports: [DocumentSearch],
})
export class SearchModule {}
