import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  Req,
  UseInterceptors,
} from '@nestjs/common';
import { ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Requires } from '../security/access.port.js';
import { CurrentUser, type Caller } from '../security/principal.port.js';
import {
  AdapterListDto,
  AdapterReplyDto,
  ChangeAdapterDto,
  CompareDto,
  CompareQuery,
  DoneDto,
  ListAdaptersQuery,
} from './adapter.dto.js';
import { AdapterService } from './adapter.service.js';
import { AdapterUpload, type UploadRequest } from './upload/adapter-upload.js';
import { UploadAdapterDto } from './upload/upload.dto.js';

/** `adapter` of a path is an id, a name, an `ft:` id or an alias. */
@ApiTags('adapters')
@Controller('api/adapters')
export class AdapterController {
  constructor(private readonly adapters: AdapterService) {}

  @Requires('adapters:read')
  @Get()
  @ApiOperation({ summary: 'List adapters, newest first' })
  list(@Query() query: ListAdaptersQuery): Promise<AdapterListDto> {
    return this.adapters.list(query);
  }

  @Requires('adapters:activate')
  @Post()
  @HttpCode(200)
  @UseInterceptors(AdapterUpload)
  @ApiConsumes('multipart/form-data')
  @ApiOperation({ summary: 'Take in a PEFT folder from elsewhere: safetensors only, checked against its base' })
  upload(
    @Req() request: UploadRequest,
    @Body() body: UploadAdapterDto,
    @CurrentUser() caller: Caller,
  ): Promise<AdapterReplyDto> {
    return this.adapters.upload(request, body, caller);
  }

  @Requires('adapters:read')
  @Get('compare')
  @ApiOperation({ summary: 'Two versions side by side: metrics, data, configuration' })
  compare(@Query() { a, b }: CompareQuery): Promise<CompareDto> {
    return this.adapters.compare(a, b);
  }

  @Requires('adapters:read')
  @Get(':adapter')
  @ApiOperation({ summary: 'One adapter, by id, name, ft: id or alias' })
  get(@Param('adapter') adapter: string): Promise<AdapterReplyDto> {
    return this.adapters.get(adapter);
  }

  @Requires('adapters:activate')
  @Patch(':adapter')
  @ApiOperation({ summary: 'Change notes, tags or domains; nothing else of a version changes' })
  change(
    @Param('adapter') adapter: string,
    @Body() change: ChangeAdapterDto,
    @CurrentUser() caller: Caller,
  ): Promise<AdapterReplyDto> {
    return this.adapters.change(adapter, change, caller);
  }

  @Requires('adapters:activate')
  @Delete(':adapter')
  @ApiOperation({ summary: 'Retire a version for good; refused while an alias leads to it' })
  retire(@Param('adapter') adapter: string, @CurrentUser() caller: Caller): Promise<DoneDto> {
    return this.adapters.retire(adapter, caller);
  }
}
