import { Module } from '@nestjs/common';
import { DocumentDatabase } from './document.store.js';
import { DocumentNews } from './document-news.js';
import { DocumentPublication } from './document-publication.port.js';
import { DocumentReader } from './document-reader.port.js';
import { PostgresPublication } from './postgres-publication.js';
import { DocumentsController } from './documents.controller.js';
import { DocumentsService } from './documents.service.js';
import { DocumentsStatus } from './documents-status.port.js';
import { StoreLags } from './store-lags.js';
import { PendingStores } from './pending-stores.js';
import { SettledDocuments } from './settled-documents.port.js';
import { Reindexing } from './reindexing.js';
import { StoreSync } from './store-sync.js';
import { StoreTargets } from './store-targets.js';
import { VectorSearchSpace } from './vector-search-space.port.js';
import { VectorSpaces } from './vector-spaces.js';

@Module({
  controllers: [DocumentsController],
  providers: [
    DocumentDatabase,
    DocumentNews,
    DocumentsService,
    Reindexing,
    StoreSync,
    StoreTargets,
    VectorSpaces,
    { provide: VectorSearchSpace, useExisting: VectorSpaces },
    { provide: DocumentReader, useExisting: DocumentDatabase },
    { provide: DocumentsStatus, useClass: StoreLags },
    { provide: SettledDocuments, useClass: PendingStores },
    { provide: DocumentPublication, useClass: PostgresPublication },
  ],
  exports: [DocumentsStatus, DocumentReader, DocumentPublication, SettledDocuments, VectorSearchSpace],
})
export class DocumentsModule {}
