import { Module } from '@nestjs/common';
import { SearchModule } from '../search/search.module.js';
import { DatasetRegistryModule } from './dataset-registry.module.js';
import { SearchController } from './search.controller.js';
import { SearchService } from './search.service.js';

/** The fixed routes under api/datasets; imported before those of one dataset, which would answer for them. */
@Module({ imports: [SearchModule, DatasetRegistryModule], controllers: [SearchController], providers: [SearchService] })
export class SearchRoutesModule {}
