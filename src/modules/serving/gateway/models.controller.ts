import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AdapterCatalog } from '../../adapters/adapter-catalog.port.js';
import { Requires } from '../../security/access.port.js';
import { noSuchModel } from './model-choice.js';
import { modelList } from './model-list.js';
import { ModelDto, ModelListDto } from './models.dto.js';
import { ServedBase } from './served-base.js';

@ApiTags('serving')
@Requires('serving:generate')
@Controller('v1/models')
export class ModelsController {
  constructor(
    private readonly catalog: AdapterCatalog,
    private readonly base: ServedBase,
  ) {}

  @Get()
  @ApiOkResponse({ type: ModelListDto })
  @ApiOperation({ summary: 'Models that a request may name: base, versions newest first, aliases, auto' })
  listModels(): ModelListDto {
    return { object: 'list', data: this.#all() };
  }

  @Get(':model')
  @ApiOkResponse({ type: ModelDto })
  @ApiOperation({ summary: 'One model' })
  getModel(@Param('model') id: string): ModelDto {
    const model = this.#all().find((one) => one.id === id);
    if (!model) throw noSuchModel(id);
    return model;
  }

  #all(): ModelDto[] {
    return modelList(this.catalog.snapshot(), this.base.current(), this.base.since);
  }
}
